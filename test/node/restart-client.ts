/**
 * Runs on a lab machine beside a k3ts that gets killed: two informers of @kubernetes/client-node
 * that live as long as the program, and a storm of creates on each line of its standard input.
 *
 *   storm <round>    200 creates under way until the server is gone; prints {"acknowledged": n} each
 *                    ten answers and {"storm": …} at the end
 *   check            waits for the API and compares; prints {"check": …}
 */
import { createInterface } from 'node:readline';
import { CoreV1Api, KubeConfig, makeInformer } from '@kubernetes/client-node';
import type { KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import { systemClock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';

/** Creates under way at any time. */
const stormSize = 200;
/** A bound, far above what is reached before the server is killed. */
const createsEach = 100;
const settleMs = 90_000;
const namespace = 'default';
const config = new KubeConfig();
config.loadFromFile('/etc/rancher/k3s/k3s.yaml');
const api = config.makeApiClient(CoreV1Api);
const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

/** What was acknowledged, ever: uid by name. */
const acknowledged = new Map<string, string>();

interface Watched {
  /** The informer's own cache. */
  cache(): Map<string, string>;
  /** The same, kept from its events alone. */
  readonly fromEvents: Map<string, string>;
  fresh(): Promise<Map<string, string>>;
  problems: number;
}

const keyOf = ({ metadata }: KubernetesObject): string => metadata?.name ?? '';
const versionOf = ({ metadata }: KubernetesObject): string =>
  `${metadata?.uid}@${metadata?.resourceVersion}`;
const index = (items: readonly KubernetesObject[]): Map<string, string> =>
  new Map(items.map((item) => [keyOf(item), versionOf(item)]));

async function follow<T extends KubernetesObject>(
  path: string,
  list: () => Promise<KubernetesListObject<T>>,
): Promise<Watched> {
  const informer = makeInformer(config, path, list);
  const fromEvents = new Map<string, string>();
  const watched: Watched = {
    fromEvents,
    problems: 0,
    cache: () => index(informer.list(namespace)),
    fresh: async () => index((await list()).items),
  };
  informer.on('add', (object) => void fromEvents.set(keyOf(object), versionOf(object)));
  informer.on('update', (object) => void fromEvents.set(keyOf(object), versionOf(object)));
  informer.on('delete', (object) => void fromEvents.delete(keyOf(object)));
  // The library leaves starting again after an error to its user.
  informer.on('error', () => {
    watched.problems += 1;
    void systemClock.sleep(100).then(() => informer.start());
  });
  await informer.start();
  return watched;
}

/** Creates one after the other, by name and by generateName in turn, until one is refused. */
async function createUntilRefused(prefix: string, onDone: () => void): Promise<number> {
  for (let number = 0; number < createsEach; number++) {
    const name = `${prefix}-${number}`;
    const metadata = number % 2 === 0 ? { name } : { generateName: `${name}-` };
    try {
      const made = await api.createNamespacedConfigMap({ namespace, body: { metadata } });
      acknowledged.set(keyOf(made), made.metadata?.uid ?? '');
      onDone();
    } catch {
      return 1;
    }
  }
  return 0;
}

async function storm(round: number): Promise<void> {
  let done = 0;
  const onDone = (): void => {
    done += 1;
    if (done % 10 === 0) say({ acknowledged: done });
  };
  const names = Array.from({ length: stormSize }, (_, number) => `r${round}-${number}`);
  const refused = await Promise.all(names.map((name) => createUntilRefused(name, onDone)));
  say({ storm: { acknowledged: done, refused: refused.reduce((sum, one) => sum + one, 0) } });
}

/** What is in one and not, or otherwise, in the other. */
function differences(name: string, have: Map<string, string>, want: Map<string, string>): string[] {
  const missed = [...want].filter(([key, version]) => have.get(key) !== version);
  const ghosts = [...have].filter(([key]) => !want.has(key));
  return [
    ...missed.map(([key, version]) => `${name} misses ${key} ${version}: ${have.get(key)}`),
    ...ghosts.map(([key]) => `${name} has the ghost ${key}`),
  ];
}

/** Polls until nothing is wrong; at the bound, what still is. */
async function settle(problems: () => Promise<string[]>): Promise<string[]> {
  const endMs = systemClock.monotonicMs() + settleMs;
  for (;;) {
    const found = await problems().catch((error: unknown) => [messageOf(error)]);
    if (found.length === 0 || systemClock.monotonicMs() > endMs) return found;
    await systemClock.sleep(50);
  }
}

async function check(watched: Readonly<Record<string, Watched>>): Promise<void> {
  const lost = await settle(async () => {
    const { items } = await api.listNamespacedConfigMap({ namespace });
    const uids = items.map(({ metadata }) => metadata?.uid ?? '');
    const byName = new Map(items.map(({ metadata }) => [metadata?.name, metadata?.uid]));
    return [
      ...(new Set(uids).size === uids.length && byName.size === uids.length ? [] : ['twice']),
      ...[...acknowledged]
        .filter(([name, uid]) => byName.get(name) !== uid)
        .map(([name, uid]) => `${name} ${uid} is lost: ${byName.get(name)}`),
    ];
  });
  const stale = await settle(async () => {
    const found: string[] = [];
    for (const [name, one] of Object.entries(watched)) {
      const fresh = await one.fresh();
      found.push(...differences(`the cache of ${name}`, one.cache(), fresh));
      found.push(...differences(`the events of ${name}`, one.fromEvents, fresh));
    }
    return found;
  });
  const present = (await watched['configmaps']?.fresh())?.size ?? 0;
  const restarts = Object.values(watched).map(({ problems }) => problems);
  say({ check: { lost, stale, allAcknowledged: acknowledged.size, present, restarts } });
}

const watched = {
  configmaps: await follow('/api/v1/namespaces/default/configmaps', () =>
    api.listNamespacedConfigMap({ namespace }),
  ),
  pods: await follow('/api/v1/namespaces/default/pods', () => api.listNamespacedPod({ namespace })),
};
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, round] = line.split(' ');
  // The storm must not keep the next command from being read.
  if (command === 'storm') void storm(Number(round));
  else await check(watched);
}
process.exit();
