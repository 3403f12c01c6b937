import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createEventRecorder, runLeaderElection } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';

const restartMs = 2000;

/** Whether other servers may work on the same datastore: then one of them leads. */
export function isSharedDatastore(endpoint: string): boolean {
  return endpoint !== '' && !endpoint.startsWith('sqlite') && !endpoint.startsWith('memory:');
}

/**
 * Runs the work of a component while this server holds its Lease in kube-system, again and again
 * until the signal is aborted. As k3s: a server with a datastore of its own does it at once, once.
 * `work` gets a signal that ends with the leadership, and resolves when nothing of it runs any
 * more. Never rejects.
 */
export async function runWhileLeading(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** kube-controller-manager or kube-scheduler. */
  readonly name: string;
  readonly host: string;
  readonly isShared: boolean;
  readonly work: (signal: AbortSignal) => Promise<void>;
}): Promise<void> {
  const { clock, random, log, signal, name, host, isShared, work } = options;
  const identity = `${host}_${random.uuid()}`;
  const events = isShared ? createEventRecorder({ ...options, component: name }) : undefined;
  const election = { ...options, identity, releaseOnStop: true, onStartedLeading: work, events };
  do {
    try {
      if (isShared) await runLeaderElection(election);
      else await work(signal);
    } catch (error) {
      if (!signal.aborted) log.error('Component ended', { name, error: messageOf(error) });
    }
    if (!isShared) return;
    // A lost election is taken part in anew, without holding anything of the former time.
    await clock.sleep(restartMs, signal).catch(() => undefined);
  } while (!signal.aborted);
}
