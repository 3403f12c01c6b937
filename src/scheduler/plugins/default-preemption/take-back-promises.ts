import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { PodInfo } from '../../framework/node-info.ts';

/** Clears the nomination of pods; the scheduler sees that and tries them again. Gone ones are fine. */
export async function takeBackPromises(client: Client, pods: readonly PodInfo[]): Promise<void> {
  const takeBack = async ({ pod }: PodInfo): Promise<void> => {
    const { name, namespace, uid } = pod.metadata;
    const body = { metadata: { uid }, status: { nominatedNodeName: null } };
    try {
      const options = { namespace, subresource: 'status' };
      await client.patch(resources.pods, name, { type: 'merge', body }, options);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  };
  await Promise.all(pods.map(takeBack));
}
