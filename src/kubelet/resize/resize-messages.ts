import type { Pod, ResourceRequirements } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';
import type { Resources } from './allocation.ts';

/** Text of the events about resizes: what is asked for as JSON, in upstream's field order. */
export function resizeMessage(
  title: 'started' | 'completed' | 'error' | 'Deferred' | 'Infeasible',
  pod: Pod,
  error = '',
): string {
  const spec = specOf(pod);
  const listed = (
    list: readonly { name: string; resources?: ResourceRequirements | undefined }[],
  ) => list.map(({ name, resources = {} }) => ({ name, resources: inOrder(resources) }));
  const initContainers = listed(spec.initContainers ?? []);
  const summary = {
    ...(initContainers.length === 0 ? {} : { initContainers }),
    containers: listed(spec.containers),
    generation: pod.metadata.generation ?? 0,
    ...(error === '' ? {} : { error }),
  };
  return `Pod resize ${title}: ${JSON.stringify(summary)}`;
}

function inOrder({ limits, requests }: Resources): Resources {
  return {
    ...(limits === undefined ? {} : { limits: sorted(limits) }),
    ...(requests === undefined ? {} : { requests: sorted(requests) }),
  };
}

function sorted(amounts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
