import type { Pod } from '#schema/types.ts';
import type { Rejection } from '../pods/admission.ts';
import { isCriticalPod, specOf } from '../pods/names.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import type { Pressures } from './node-conditions.ts';

const memoryTaint = 'node.kubernetes.io/memory-pressure';

/** New pods that a node under pressure does not take; critical ones it always does. */
export function pressureRejection(pod: Pod, pressures: Pressures): Rejection | undefined {
  const { memory, disk, pid } = pressures;
  if ((!memory && !disk && !pid) || isCriticalPod(pod)) return undefined;
  if (memory && !disk && !pid) {
    if (podQosClass(pod.spec) !== 'BestEffort') return undefined;
    const isTolerated = (specOf(pod).tolerations ?? []).some(
      ({ key = '', operator, effect = '' }) =>
        (key === memoryTaint || (key === '' && operator === 'Exists')) &&
        (effect === '' || effect === 'NoSchedule'),
    );
    if (isTolerated) return undefined;
  }
  const names = [
    ...(memory ? ['MemoryPressure'] : []),
    ...(disk ? ['DiskPressure'] : []),
    ...(pid ? ['PIDPressure'] : []),
  ];
  return { reason: 'Evicted', message: `The node had condition: [${names.join(' ')}]. ` };
}
