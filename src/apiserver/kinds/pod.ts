import type { Pod } from '#schema/types.ts';
import { takeAppArmorFromAnnotations } from './app-armor.ts';
import type { KindHooks } from './kind-hooks.ts';

const defaultGraceSeconds = 30;

/** Pods are shut down by their kubelet; one that no kubelet runs goes at once. */
export const podHooks: KindHooks = {
  returnsDeleted: true,
  beforeCreate(object, { context }) {
    for (const text of takeAppArmorFromAnnotations(object)) context.warnings.add(text);
  },
  gracePeriodSeconds(object, requested) {
    const { spec, status } = object as unknown as Pod;
    const isUnscheduled = (spec?.nodeName ?? '') === '';
    const isFinished = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    if (isUnscheduled || isFinished) return 0;
    const seconds = requested ?? spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
    // upstream lets a negative period of the spec mean the shortest one
    return seconds < 0 ? 1 : seconds;
  },
};
