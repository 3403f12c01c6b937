import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';

import { defaultFlowSchemas, defaultPriorityLevels, reconcileFlowObject } from './flow-control.ts';
import { reconcileObjects } from './reconcile.ts';

const everyMs = 60_000;
const annotation = 'apf.kubernetes.io/autoupdate-spec';

const flowControl = (resource: string): GroupVersionResource => ({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  resource,
});
const levels = flowControl('prioritylevelconfigurations');
const schemas = flowControl('flowschemas');

interface Options {
  readonly client: Client;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings the default objects of flow control back every minute, as upstream: mandatory ones always,
 * suggested ones unless somebody keeps them, and takes away defaults of other versions. Runs until
 * the signal is aborted.
 */
export function keepFlowControl(
  options: Options & { clock: Clock; log: Logger; signal: AbortSignal },
): void {
  const { clock, log, signal } = options;
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, signal);
      try {
        await reconcileFlowControl(options);
      } catch (error) {
        if (signal.aborted) return;
        log.warning('Cannot restore flow control objects', { error: messageOf(error) });
      }
    }
  };
  // ends by the signal alone
  loop().catch(() => undefined);
}

/** Levels first, so that no schema is without one; returns the number of writes. */
export async function reconcileFlowControl({ client, signal }: Options): Promise<number> {
  const compare = reconcileFlowObject;
  const wantedLevels = defaultPriorityLevels();
  const wantedSchemas = defaultFlowSchemas();
  const put = { client, signal };
  let writes = await reconcileObjects({ ...put, resource: levels, wanted: wantedLevels, compare });
  writes += await reconcileObjects({ ...put, resource: schemas, wanted: wantedSchemas, compare });
  writes += await removeOthers(put, schemas, wantedSchemas);
  writes += await removeOthers(put, levels, wantedLevels);
  return writes;
}

/** Objects that say they are defaults, and are none. */
async function removeOthers(
  { client, signal }: Options,
  resource: GroupVersionResource,
  wanted: readonly KubeObject[],
): Promise<number> {
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const { items } = await client.list<KubeObject>(resource, { signal });
  const others = items.filter(
    ({ metadata }) => metadata.annotations?.[annotation] === 'true' && !names.has(metadata.name),
  );
  for (const { metadata } of others) await client.delete(resource, metadata.name, { signal });
  return others.length;
}
