import { setTimeout as sleep } from 'node:timers/promises';
import { ApiException, CoordinationV1Api, V1MicroTime } from '@kubernetes/client-node';
import type { KubeConfig, V1Lease } from '@kubernetes/client-node';

export interface LeaseOptions {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly signal: AbortSignal;
  /** How long others wait before they take over from a leader that does not renew. */
  readonly durationMs: number;
}

/**
 * Runs `lead` whenever this identity holds the Lease; its signal ends when the lease is lost. Ends
 * with the signal, and gives the lease back then, so that another takes over at once. Works as
 * client-go's leader election: whoever writes first wins, as the resourceVersion must match.
 */
export async function leadWithLease(
  options: LeaseOptions,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { signal, durationMs } = options;
  const lease = new LeaseHolder(options);
  while (!signal.aborted) {
    if (!(await lease.tryHold())) {
      await sleep(durationMs / 5, undefined, { signal }).catch(() => undefined);
      continue;
    }
    const lost = new AbortController();
    const leading = lead(AbortSignal.any([signal, lost.signal]));
    let renewedMs = performance.now();
    while (!signal.aborted && performance.now() - renewedMs < durationMs * (2 / 3)) {
      await sleep(durationMs / 5, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && (await lease.tryHold())) renewedMs = performance.now();
    }
    lost.abort();
    await leading;
  }
  await lease.release();
}

class LeaseHolder {
  readonly #options: LeaseOptions;
  readonly #api: CoordinationV1Api;
  /** When this process first saw the lease as it is: clocks of others are not to be trusted. */
  #seen = { version: '', atMs: 0 };

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#api = options.config.makeApiClient(CoordinationV1Api);
  }

  /** Takes or renews the lease; false when another has it or the server cannot be asked. */
  async tryHold(): Promise<boolean> {
    const { namespace, name, identity, durationMs } = this.#options;
    try {
      const lease = await this.#read();
      if (lease === undefined) {
        const body: V1Lease = { metadata: { name }, spec: this.#spec(undefined) };
        await this.#api.createNamespacedLease({ namespace, body });
        return true;
      }
      const version = lease.metadata?.resourceVersion ?? '';
      const nowMs = performance.now();
      if (this.#seen.version !== version) this.#seen = { version, atMs: nowMs };
      const holder = lease.spec?.holderIdentity ?? '';
      const isFree = holder === '' || holder === identity;
      if (!isFree && nowMs - this.#seen.atMs < durationMs) return false;
      const body = { ...lease, spec: this.#spec(lease) };
      await this.#api.replaceNamespacedLease({ namespace, name, body });
      return true;
    } catch {
      // another was faster, or the server is away: the next round tells
      return false;
    }
  }

  async release(): Promise<void> {
    const { namespace, name, identity } = this.#options;
    try {
      const lease = await this.#read();
      if (lease?.spec?.holderIdentity !== identity) return;
      const body = { ...lease, spec: { ...lease.spec, holderIdentity: '' } };
      await this.#api.replaceNamespacedLease({ namespace, name, body });
    } catch {
      // it runs out by itself
    }
  }

  async #read(): Promise<V1Lease | undefined> {
    const { namespace, name } = this.#options;
    try {
      return await this.#api.readNamespacedLease({ namespace, name });
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  }

  #spec(lease: V1Lease | undefined): NonNullable<V1Lease['spec']> {
    const { identity, durationMs } = this.#options;
    const isMine = lease?.spec?.holderIdentity === identity;
    const now = new V1MicroTime();
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.round(durationMs / 1000)),
      acquireTime: isMine ? (lease.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (isMine ? 0 : 1),
    };
  }
}
