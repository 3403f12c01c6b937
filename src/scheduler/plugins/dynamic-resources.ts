import type { Plugin } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

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
};
