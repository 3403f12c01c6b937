import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { APIService } from '#schema/types.ts';

/**
 * Versions of groups that other servers should serve and do not: nobody knows what they keep in a
 * namespace. Sorted, as `group/version`.
 */
export async function failedGroups(client: Client): Promise<string[]> {
  const { items } = await client.list<APIService>(resources.apiServices);
  return items
    .filter(({ spec, status }) => {
      const available = status?.conditions?.find(({ type }) => type === 'Available');
      return spec?.service !== undefined && available?.status !== 'True';
    })
    .map(({ spec }) => `${spec?.group ?? ''}/${spec?.version ?? ''}`)
    .toSorted();
}

/** As the client of upstream says it. */
export function discoveryFailureText(groups: readonly string[]): string {
  const each = groups.map((group) => `${group}: stale GroupVersion discovery: ${group}`);
  return `unable to retrieve the complete list of server APIs: ${each.join(', ')}`;
}
