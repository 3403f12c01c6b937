import type { Container, Pod } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';

/**
 * How much a pod takes at most at one time: all regular containers and sidecars, or an init
 * container with the sidecars before it when that is more.
 */
export function podTotal(pod: Pod, of: (container: Container) => number): number {
  const { initContainers = [], containers } = specOf(pod);
  let sidecars = 0;
  let atStart = 0;
  for (const container of initContainers) {
    const amount = of(container);
    if (container.restartPolicy === 'Always') sidecars += amount;
    else atStart = Math.max(atStart, sidecars + amount);
  }
  return Math.max(
    atStart,
    containers.reduce((sum, one) => sum + of(one), sidecars),
  );
}
