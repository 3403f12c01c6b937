import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';

const pollMs = 500;
/** How long instances may take to go before their deletion counts as failed, as upstream. */
const patienceMs = 60_000;

/** How far the removal of a definition's instances got, as the condition Terminating says it. */
export interface CleanupVerdict {
  readonly isDone: boolean;
  readonly reason: string;
  readonly message: string;
}

/** Deletes all instances and waits until they are gone: their finalizers may take a while. */
export async function removeInstances(options: {
  client: Client;
  resource: GroupVersionResource;
  namespaced: boolean;
  clock: Clock;
  signal: AbortSignal;
}): Promise<CleanupVerdict> {
  const { client, resource, namespaced, clock, signal } = options;
  const left = async (): Promise<readonly string[]> => {
    const { items } = await client.list(resource);
    return items.map(({ metadata }) => metadata.namespace ?? '');
  };
  let namespaces: readonly string[];
  try {
    namespaces = await left();
  } catch (error) {
    return failed(`could not list instances: ${messageOf(error)}`);
  }
  try {
    for (const namespace of new Set(namespaces)) {
      await client.deleteCollection(resource, namespaced ? { namespace } : {});
    }
  } catch (error) {
    return failed(`could not issue all deletes: ${messageOf(error)}`);
  }
  const endMs = clock.monotonicMs() + patienceMs;
  try {
    for (;;) {
      const count = (await left()).length;
      if (count === 0) break;
      if (clock.monotonicMs() >= endMs) throw new Error('timed out waiting for the condition');
      await clock.sleep(pollMs, signal);
    }
  } catch (error) {
    return {
      isDone: false,
      reason: 'InstanceDeletionCheck',
      message: `could not confirm zero CustomResources remaining: ${messageOf(error)}`,
    };
  }
  return { isDone: true, reason: 'InstanceDeletionCompleted', message: 'removed all instances' };
}

function failed(message: string): CleanupVerdict {
  return { isDone: false, reason: 'InstanceDeletionFailed', message };
}
