import { createHash } from 'node:crypto';

import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { formatMicroTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Lease } from '#schema/types.ts';

const namespace = 'kube-system';
const identityLabel = 'apiserver.kubernetes.io/identity';
const identity = 'kube-apiserver';
const leaseSeconds = 3600;
const renewMs = 10_000;
const collectMs = 3_600_000;
const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** The name of the API server of this host in its Lease, as upstream makes it. */
export function apiServerId(hostname: string): string {
  const hash = createHash('sha256').update(hostname).digest().subarray(0, 16);
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{1,5}/g) ?? [];
  const text = letters.map((five) => base32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
  return `apiserver-${text}`;
}

/**
 * Publishes this API server as a Lease that is renewed every 10 seconds, and takes away those of
 * servers that have been gone for an hour (gate APIServerIdentity). Runs until the signal.
 */
export function keepIdentityLease(options: {
  client: Client;
  hostname: string;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}): void {
  const { client, hostname, clock, random, log, signal } = options;
  const name = apiServerId(hostname);
  const holderIdentity = `${name}_${random.uuid()}`;
  let known: Lease | undefined;

  async function renew(): Promise<void> {
    const spec = {
      holderIdentity,
      leaseDurationSeconds: leaseSeconds,
      renewTime: formatMicroTime(clock.now()),
    };
    known ??= await stored();
    if (known === undefined) {
      const labels = { [identityLabel]: identity, 'kubernetes.io/hostname': hostname };
      const lease = { metadata: { name, namespace, labels }, spec };
      known = await client.create<Lease>(resources.leases, lease, { namespace, signal });
    } else {
      const lease = { ...known, spec: { ...known.spec, ...spec } };
      known = await client.update<Lease>(resources.leases, lease, { namespace, signal });
    }
  }

  async function stored(): Promise<Lease | undefined> {
    try {
      return await client.get<Lease>(resources.leases, name, { namespace, signal });
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async function collect(): Promise<void> {
    const labelSelector = `${identityLabel}=${identity}`;
    const { items } = await client.list<Lease>(resources.leases, {
      namespace,
      labelSelector,
      signal,
    });
    for (const { metadata, spec } of items) {
      const renewedMs = Date.parse(spec?.renewTime ?? '');
      const endMs = renewedMs + (spec?.leaseDurationSeconds ?? 0) * 1000;
      if (endMs >= clock.now()) continue;
      await client.delete(resources.leases, metadata.name, {
        namespace,
        preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion },
        signal,
      });
    }
  }

  const every = async (periodMs: number, work: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        await work();
      } catch (error) {
        if (signal.aborted) return;
        known = undefined;
        log.warning('Cannot keep the leases of API servers', { error: messageOf(error) });
      }
      await clock.sleep(periodMs, signal);
    }
  };
  // both end by the signal alone
  every(renewMs, renew).catch(() => undefined);
  every(collectMs, collect).catch(() => undefined);
}
