import { formatTime } from '#base/clock.ts';
import type { PersistentVolume } from '#schema/types.ts';
import type { KindHooks } from './kind-hooks.ts';

/** A volume carries the time of its last change of phase, unless the writer says another one. */
export const persistentVolumeHooks: KindHooks = {
  beforeUpdate(object, old, { subresource, nowMs }) {
    if (subresource !== 'status') return;
    const volume = object as PersistentVolume;
    const stored = (old as PersistentVolume).status;
    const { phase, lastPhaseTransitionTime: time } = volume.status ?? {};
    if (phase === stored?.phase) return;
    if (time !== undefined && time !== stored?.lastPhaseTransitionTime) return;
    volume.status = { ...volume.status, lastPhaseTransitionTime: formatTime(nowMs) };
  },
};
