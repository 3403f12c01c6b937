import type { VolumeManager } from '../volume-host.ts';
import type { KubeletMetrics } from './kubelet-metrics.ts';

/** The volume manager with its volumes from images counted. */
export function measureImageVolumes(
  volumes: VolumeManager,
  metrics: Pick<KubeletMetrics, 'imageVolumes' | 'mountedImageVolumes' | 'imageVolumeErrors'>,
): VolumeManager {
  return {
    ...volumes,
    async mountImage(request) {
      metrics.imageVolumes.with().value += 1;
      try {
        const mounted = await volumes.mountImage(request);
        metrics.mountedImageVolumes.with().value += 1;
        return mounted;
      } catch (error) {
        metrics.imageVolumeErrors.with().value += 1;
        throw error;
      }
    },
  };
}
