import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { ResourceQuota } from '#schema/types.ts';

import type { QuotaWriter } from './resource-quota.ts';

/** Books use in the status of a quota through the client, at the version that was looked at. */
export function createClientQuotaWriter(options: { client: Client }): QuotaWriter {
  return {
    async updateUsed(quota, used) {
      const { namespace } = quota.metadata;
      const next = { ...quota, status: { ...quota.status, used } };
      await options.client.update<ResourceQuota>(resources.resourceQuotas, next, {
        namespace,
        subresource: 'status',
      });
    },
  };
}
