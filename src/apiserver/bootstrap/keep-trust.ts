import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { ConfigMap } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { extensionAuthentication } from './cluster-objects.ts';
import type { ClusterTrust } from './cluster-objects.ts';

const recheckMs = 60_000;
const namespaceRetryMs = 1000;

/**
 * Keeps kube-system/extension-apiserver-authentication while the server runs: our own keys have our
 * values and what others added stays. Looked at when it changes and every minute, as upstream.
 */
export function keepTrust(options: {
  client: Client;
  reader: ObjectReader;
  trust: ClusterTrust;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): void {
  const { client, reader, clock, log, signal } = options;
  const wanted = extensionAuthentication(options.trust);
  const { name, namespace = '' } = wanted.metadata;
  const { queue } = startControllerLoop({
    name: 'cluster-authentication-trust',
    clock,
    log,
    signal,
    async reconcile() {
      const stored = reader.get<ConfigMap>(resources.configMaps, namespace, name);
      try {
        if (stored === undefined) await client.create(resources.configMaps, wanted);
        else if (!holds(stored, wanted)) {
          const data = { ...stored.data, ...wanted.data };
          await client.update<ConfigMap>(resources.configMaps, { ...stored, data });
        }
      } catch (error) {
        // A cluster that starts for the first time has no kube-system yet.
        if (hasReason(error, 'NotFound')) return { requeueAfterMs: namespaceRetryMs };
        // Another server was faster with the same.
        if (!hasReason(error, 'AlreadyExists')) throw error;
      }
      return { requeueAfterMs: recheckMs };
    },
  });
  queue.add(name);
  const remove = reader.onChange<ConfigMap>(resources.configMaps, ({ next, previous }) => {
    const { metadata } = next ?? previous ?? wanted;
    if (metadata.name === name && metadata.namespace === namespace) queue.add(name);
  });
  signal.addEventListener('abort', remove, { once: true });
}

function holds(stored: ConfigMap, wanted: ConfigMap): boolean {
  return Object.entries(wanted.data ?? {}).every(([key, value]) => stored.data?.[key] === value);
}
