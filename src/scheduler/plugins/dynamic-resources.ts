import type { Plugin } from '../framework/plugin.ts';
import { unresolvable, unschedulable } from '../framework/status.ts';

/** What upstream says of each pod without claims that fits nowhere. */
const nothingToTake = { status: unschedulable('no new claims to deallocate') };
const nothingToSay = { status: unschedulable() };

/** Devices of resource claims are not allocated: pods that want some wait, and are told why. */
export const dynamicResources: Plugin = {
  name: 'DynamicResources',
  retryOn: ['UnscheduledPod/Update'],
  preFilter(_state, { pod }) {
    if ((pod.spec?.resourceClaims ?? []).length === 0) return undefined;
    return {
      status: unresolvable('resource claims (dynamic resource allocation) are not supported'),
    };
  },
  postFilter(_state, { pod }, { statuses }) {
    const hasClaims = (pod.spec?.resourceClaims ?? []).length > 0;
    // Without answers of nodes another plugin refused the pod before this one was asked.
    return hasClaims || statuses.size === 0 ? nothingToSay : nothingToTake;
  },
};
