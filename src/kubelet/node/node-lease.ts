import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { formatMicroTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Lease, Node } from '#schema/types.ts';

const namespace = 'kube-node-lease';
const firstRetryMs = 200;
const maxRetryMs = 7_000;

/** Renews the node's lease at a quarter of its duration until the signal is aborted. */
export async function keepNodeLease(options: {
  client: Client;
  nodeName: string;
  durationSeconds: number;
  clock: Clock;
  log: Logger;
  node: () => Node | undefined;
  signal: AbortSignal;
}): Promise<void> {
  const { clock, log, signal, durationSeconds } = options;
  let lease: Lease | undefined;
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    let delayMs = (durationSeconds * 1000) / 4;
    try {
      lease = await renew(lease, options);
      retryMs = firstRetryMs;
    } catch (error) {
      if (signal.aborted) return;
      log.debug('the node lease was not renewed', { error: messageOf(error) });
      lease = undefined;
      delayMs = retryMs;
      retryMs = Math.min(retryMs * 2, maxRetryMs);
    }
    await clock.sleep(delayMs, signal).catch(() => undefined);
  }
}

interface RenewOptions {
  client: Client;
  nodeName: string;
  durationSeconds: number;
  clock: Clock;
  node: () => Node | undefined;
  signal: AbortSignal;
}

async function renew(known: Lease | undefined, options: RenewOptions): Promise<Lease> {
  const { client, signal } = options;
  const present = known ?? (await find(options));
  if (present === undefined) {
    const lease = leaseOf(undefined, options);
    return await client.create(resources.leases, lease, { namespace, signal });
  }
  return await client.update(resources.leases, leaseOf(present, options), { namespace, signal });
}

async function find({ client, nodeName, signal }: RenewOptions): Promise<Lease | undefined> {
  try {
    return await client.get<Lease>(resources.leases, nodeName, { namespace, signal });
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

function leaseOf(present: Lease | undefined, options: RenewOptions): Lease {
  const { nodeName, durationSeconds, clock } = options;
  const node = options.node();
  const owner = {
    apiVersion: 'v1',
    kind: 'Node',
    name: nodeName,
    uid: node?.metadata.uid ?? '',
  };
  const hasOwner = (present?.metadata.ownerReferences ?? []).length > 0;
  const metadata = present?.metadata ?? { name: nodeName, namespace };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: hasOwner || node === undefined ? metadata : { ...metadata, ownerReferences: [owner] },
    spec: {
      ...present?.spec,
      holderIdentity: nodeName,
      leaseDurationSeconds: durationSeconds,
      renewTime: formatMicroTime(clock.now()),
    },
  };
}
