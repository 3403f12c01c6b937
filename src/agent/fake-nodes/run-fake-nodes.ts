import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createInformer, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import {
  fakeAddress,
  fakeLease,
  fakeNode,
  fakeNodeLabel,
  fakeNodeName,
  leaseNamespace,
} from './fake-node.ts';
import { runningStatus } from './fake-pod.ts';

/** Writes under way at a time: enough to keep a server busy, few enough to leave it to others. */
const maxWrites = 32;
/** Real kubelets renew every 10 s; thousands of nodes on one machine half as often. */
const renewMs = 10_000;
const slowRenewMs = 20_000;
const manyNodes = 1000;

export interface FakeNodesOptions {
  readonly count: number;
  /** May do what kubelets may, for all nodes: an administrator's client. */
  readonly client: Client;
  /** As the Node objects show it. */
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Registers nodes `fake-0` to `fake-(count - 1)`, keeps them alive, lets their pods run and removes
 * the deleted ones, until the signal is aborted. The nodes stay when it ends, as real ones do, and
 * become NotReady. Rejects when the nodes cannot be registered.
 */
export async function runFakeNodes(options: FakeNodesOptions): Promise<void> {
  const { count, log, signal } = options;
  await inParallel(count, signal, (number) => register(options, number));
  if (signal.aborted) return;
  log.info('Fake nodes are registered', { nodes: count });
  await Promise.all([keepAlive(options), runPods(options)]);
}

async function register(options: FakeNodesOptions, number: number): Promise<void> {
  const { client, version, clock, signal } = options;
  const node = fakeNode(number, version, clock.now());
  const name = fakeNodeName(number);
  try {
    await client.create(resources.nodes, node, { signal });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    const labels = { [fakeNodeLabel]: 'true' };
    await client.patch(resources.nodes, name, { type: 'merge', body: { metadata: { labels } } });
    const body = { status: node.status };
    const writeOptions = { subresource: 'status', signal };
    await client.patch(resources.nodes, name, { type: 'strategic', body }, writeOptions);
  }
  await renew(options, name);
}

async function renew({ client, clock, signal }: FakeNodesOptions, nodeName: string): Promise<void> {
  const lease = fakeLease(nodeName, clock.now());
  const writeOptions = { namespace: leaseNamespace, signal };
  const body = { spec: lease.spec ?? {} };
  try {
    await client.patch(resources.leases, nodeName, { type: 'merge', body }, writeOptions);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    await client.create(resources.leases, lease, writeOptions);
  }
}

/** One renewal of each node in a period, spread over it. */
async function keepAlive(options: FakeNodesOptions): Promise<void> {
  const { count, clock, log, signal } = options;
  const periodMs = count > manyNodes ? slowRenewMs : renewMs;
  let startMs = clock.monotonicMs();
  while (!signal.aborted) {
    for (let number = 0; number < count && !signal.aborted; number++) {
      const dueMs = startMs + (periodMs * number) / count;
      const waitMs = dueMs - clock.monotonicMs();
      // Timers of less than a few milliseconds cost more than what they wait for.
      if (waitMs > 5) await clock.sleep(waitMs, signal).catch(() => undefined);
      renew(options, fakeNodeName(number)).catch((error: unknown) => {
        if (!signal.aborted) log.warning('Lease not renewed', { error: messageOf(error) });
      });
    }
    startMs += periodMs;
    await clock.sleep(Math.max(startMs - clock.monotonicMs(), 0), signal).catch(() => undefined);
  }
}

/** Follows all pods and cares for those of the fake nodes. */
async function runPods(options: FakeNodesOptions): Promise<void> {
  const { count, client, clock, random, log, signal } = options;
  const numbers = new Map(
    Array.from({ length: count }, (_, number) => [fakeNodeName(number), number] as const),
  );
  const pods = createInformer<Pod>({
    client,
    resource: resources.pods,
    clock,
    random,
    log,
    signal,
  });
  let addresses = 0;
  const loop = startControllerLoop({
    name: 'fake-nodes',
    clock,
    log,
    signal,
    workers: maxWrites,
    ready: pods.synced(signal),
    async reconcile(key) {
      const pod = pods.get(key);
      const number = numbers.get(pod?.spec?.nodeName ?? '');
      if (pod === undefined || number === undefined) return;
      const { name, namespace, uid } = pod.metadata;
      if (pod.metadata.deletionTimestamp !== undefined) {
        const preconditions = { uid };
        await client
          .delete(resources.pods, name, { namespace, gracePeriodSeconds: 0, preconditions, signal })
          .catch(ignoreGone);
        return;
      }
      if (pod.status?.phase !== 'Pending') return;
      const podIp = fakeAddress(number, ++addresses);
      const status = runningStatus(pod, fakeAddress(number), podIp, clock.now());
      const body = { metadata: { uid }, status };
      const writeOptions = { namespace, subresource: 'status', signal };
      await client
        .patch(resources.pods, name, { type: 'strategic', body }, writeOptions)
        .catch(ignoreGone);
    },
  });
  const see = (pod: Pod): void => {
    if (numbers.has(pod.spec?.nodeName ?? '')) loop.queue.add(objectKey(pod));
  };
  pods.addHandler({ onAdd: see, onUpdate: (_before, pod) => see(pod) });
  pods.start();
  await loop.done;
}

function ignoreGone(error: unknown): void {
  if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
}

/** Runs a task for each number, a bounded number of them at a time; the first error ends it. */
async function inParallel(
  count: number,
  signal: AbortSignal,
  task: (number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && !signal.aborted) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(maxWrites, count) }, work));
}
