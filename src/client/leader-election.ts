import { hasReason } from '#base/api-status-error.ts';
import { formatMicroTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Lease, LeaseSpec } from '#schema/types.ts';
import type { Client } from './client.ts';
import type { EventRecorder } from './events/event-recorder.ts';
import { resources } from './resources.ts';

export interface LeaderElectionOptions {
  client: Client;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Stops: leadership is given up, and the lease released when `releaseOnStop` is set. */
  signal: AbortSignal;
  /** Default kube-system. */
  namespace?: string | undefined;
  /** Name of the Lease: kube-controller-manager, kube-scheduler, … */
  name: string;
  /** Unique among all candidates; upstream's form is `<host>_<uuid>`. */
  identity: string;
  leaseDurationMs?: number | undefined;
  renewDeadlineMs?: number | undefined;
  retryPeriodMs?: number | undefined;
  releaseOnStop?: boolean | undefined;
  /** Runs while this process leads; its signal is aborted when leadership ends. Awaited. */
  onStartedLeading(signal: AbortSignal): Promise<void>;
  onNewLeader?(identity: string): void;
  /** Tells about the Lease who began and who stopped leading. */
  events?: EventRecorder | undefined;
}

/** Random part of the wait between tries to become leader, as client-go. */
const jitterFactor = 1.2;

interface Observed {
  lease: Lease | undefined;
  /** When the lease last changed, by our own clock: clocks of others are not trusted. */
  atMs: number;
}

/**
 * Takes part in the election for a Lease until this process has led once and lost it, or the signal
 * is aborted. Same timing and fields as client-go: 15 s lease, 10 s to renew, a try each 2 s.
 * Resolves true when leadership was lost against our will: the process should then end or start
 * over.
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<boolean> {
  const { clock, random, log, signal, retryPeriodMs = 2000 } = options;
  const observed: Observed = { lease: undefined, atMs: 0 };
  const tryOnce = (): Promise<boolean> => acquireOrRenew(options, observed);

  while (!(await attempt(tryOnce, options))) {
    if (signal.aborted) return false;
    const waitMs = retryPeriodMs * (1 + random.float() * jitterFactor);
    await clock.sleep(waitMs, signal).catch(() => undefined);
    if (signal.aborted) return false;
  }
  log.info('became leader', { lease: options.name, identity: options.identity });
  tell(options, observed, 'became leader');

  const leading = new AbortController();
  const work = options.onStartedLeading(leading.signal);
  // A failure of the work ends leadership too; it is thrown by the await below.
  const workEnded = work.then(
    () => undefined,
    () => undefined,
  );
  const isLost = await Promise.race([
    holdLease(tryOnce, options, leading.signal),
    workEnded.then(() => false),
  ]);
  if (isLost) log.error('leadership lost', { lease: options.name });
  tell(options, observed, 'stopped leading');
  leading.abort();
  try {
    await work;
  } finally {
    if (!isLost && options.releaseOnStop === true) await release(options, observed);
  }
  return isLost;
}

function tell(
  { events, identity }: LeaderElectionOptions,
  { lease }: Observed,
  what: string,
): void {
  if (lease !== undefined) {
    events?.event(lease, 'Normal', 'LeaderElection', `${identity} ${what}`);
  }
}

/** Renews until the signal is aborted (false) or no renewal succeeded for the deadline (true). */
async function holdLease(
  tryOnce: () => Promise<boolean>,
  options: LeaderElectionOptions,
  ended: AbortSignal,
): Promise<boolean> {
  const { clock, signal, retryPeriodMs = 2000, renewDeadlineMs = 10_000 } = options;
  let renewedMs = clock.monotonicMs();
  const either = AbortSignal.any([signal, ended]);
  while (!either.aborted) {
    await clock.sleep(retryPeriodMs, either).catch(() => undefined);
    if (either.aborted) break;
    if (await withDeadline(attempt(tryOnce, options), options, renewedMs + renewDeadlineMs)) {
      renewedMs = clock.monotonicMs();
    } else if (clock.monotonicMs() - renewedMs >= renewDeadlineMs) {
      return true;
    }
  }
  return false;
}

/** A renewal that hangs must not keep leadership beyond the deadline. */
function withDeadline(
  outcome: Promise<boolean>,
  options: LeaderElectionOptions,
  deadlineMs: number,
): Promise<boolean> {
  const { clock } = options;
  return new Promise((resolve) => {
    const timer = clock.after(deadlineMs - clock.monotonicMs(), () => resolve(false));
    void outcome.then((isRenewed) => {
      timer.cancel();
      resolve(isRenewed);
    });
  });
}

async function attempt(
  tryOnce: () => Promise<boolean>,
  options: LeaderElectionOptions,
): Promise<boolean> {
  try {
    return await tryOnce();
  } catch (error) {
    if (!options.signal.aborted) {
      const fields = { lease: options.name, error: messageOf(error) };
      if (hasReason(error, 'Conflict')) options.log.debug('another candidate was faster', fields);
      else options.log.warning('cannot reach the lease', fields);
    }
    return false;
  }
}

async function acquireOrRenew(
  options: LeaderElectionOptions,
  observed: Observed,
): Promise<boolean> {
  const { client, clock, name, identity, signal, leaseDurationMs = 15_000 } = options;
  const namespace = options.namespace ?? 'kube-system';
  let lease: Lease;
  try {
    lease = await client.get<Lease>(resources.leases, name, { namespace, signal });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    const spec = nextSpec(options, undefined);
    const fresh = leaseObject(namespace, name, spec);
    const created = await client.create<Lease>(resources.leases, fresh, { namespace, signal });
    observe(options, observed, created);
    return true;
  }
  if (lease.metadata.resourceVersion !== observed.lease?.metadata.resourceVersion) {
    observe(options, observed, lease);
  }
  const holder = lease.spec?.holderIdentity ?? '';
  const isHeld = clock.monotonicMs() < observed.atMs + leaseDurationMs;
  if (holder !== '' && holder !== identity && isHeld) return false;
  const wanted: Lease = { ...lease, spec: nextSpec(options, lease.spec) };
  const updated = await client.update<Lease>(resources.leases, wanted, { namespace, signal });
  observe(options, observed, updated);
  return true;
}

function observe(options: LeaderElectionOptions, observed: Observed, lease: Lease): void {
  const before = observed.lease?.spec?.holderIdentity;
  const holder = lease.spec?.holderIdentity ?? '';
  observed.lease = lease;
  observed.atMs = options.clock.monotonicMs();
  if (holder !== '' && holder !== before) options.onNewLeader?.(holder);
}

function nextSpec(options: LeaderElectionOptions, old: LeaseSpec | undefined): LeaseSpec {
  const { clock, identity, leaseDurationMs = 15_000 } = options;
  const now = formatMicroTime(clock.now());
  const isRenewal = old?.holderIdentity === identity;
  const transitions = old?.leaseTransitions ?? 0;
  return {
    ...old,
    holderIdentity: identity,
    leaseDurationSeconds: Math.round(leaseDurationMs / 1000),
    acquireTime: isRenewal ? (old.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: isRenewal || old === undefined ? transitions : transitions + 1,
  };
}

function leaseObject(namespace: string, name: string, spec: LeaseSpec): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace },
    spec,
  };
}

/** Empties the holder, so that another candidate need not wait for the lease to run out. */
async function release(options: LeaderElectionOptions, observed: Observed): Promise<void> {
  const { client, clock, log, identity } = options;
  const lease = observed.lease;
  if (lease?.spec?.holderIdentity !== identity) return;
  const now = formatMicroTime(clock.now());
  const { leaseTransitions } = lease.spec;
  const spec: LeaseSpec = {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    leaseTransitions,
  };
  try {
    const namespace = lease.metadata.namespace;
    await client.update<Lease>(resources.leases, { ...lease, spec }, { namespace });
  } catch (error) {
    log.warning('cannot release the lease', { lease: options.name, error: messageOf(error) });
  }
}
