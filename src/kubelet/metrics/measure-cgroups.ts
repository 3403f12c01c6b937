import type { Clock } from '#base/clock.ts';
import type { PodCgroups } from '../volume-host.ts';
import type { KubeletMetrics } from './kubelet-metrics.ts';

/** The cgroups of pods with their changes timed. */
export function measureCgroups(
  cgroups: PodCgroups,
  { metrics, clock }: { metrics: Pick<KubeletMetrics, 'cgroupDuration'>; clock: Clock },
): PodCgroups {
  const timed = async (type: string, work: Promise<void>): Promise<void> => {
    const startMs = clock.monotonicMs();
    try {
      await work;
    } finally {
      metrics.cgroupDuration.with(type).observe((clock.monotonicMs() - startMs) / 1000);
    }
  };
  return {
    ...cgroups,
    create: (pod) => timed('create', cgroups.create(pod)),
    remove: (uid) => timed('destroy', cgroups.remove(uid)),
  };
}
