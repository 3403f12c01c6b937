import type { Plugin } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

/** Holds back pods until all their scheduling gates are removed. */
export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  retryOn: ['UnscheduledPod/Update'],
  preEnqueue({ pod }) {
    const gates = pod.spec?.schedulingGates ?? [];
    if (gates.length === 0) return undefined;
    return unresolvable(
      `waiting for scheduling gates: [${gates.map(({ name }) => name).join(' ')}]`,
    );
  },
};
