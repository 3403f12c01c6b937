/**
 * Watches against a model: random writes, compactions, interrupted watches and restarted servers,
 * of a kind that is in memory and of one that is not. What the store's own log says happened must reach every watcher once and in order, through its
 * selection. `K3TS_SEED` chooses another run.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { createApiServer } from '#apiserver/mod.ts';
import type { ApiServer } from '#apiserver/mod.ts';
import { hasReason } from '#base/api-status-error.ts';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { Backend, StoreEvent } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';

const seed = Number(process.env['K3TS_SEED'] ?? 7);
const user = { name: 'admin', groups: ['system:masters'] };
const dataDir = mkdtempSync(join(tmpdir(), 'k3ts-watch-model-'));
after(() => rmSync(dataDir, { recursive: true, force: true }));

/** A change as a watcher reports it. */
type Seen = readonly [type: string, key: string, revision: number];

type Written = KubeObject & { reason?: string };

interface Selector {
  readonly query: { labelSelector?: string; fieldSelector?: string };
  readonly namespace: string;
  matches(object: Written): boolean;
}

interface Kind {
  readonly resource: GroupVersionResource;
  readonly prefix: string;
  readonly selectors: readonly Selector[];
  /** In memory, and in SQLite. */
  readonly writes: readonly [number, number];
  /** What an object of this kind has beside its metadata. */
  content(random: Random, namespace: string): object;
}

const selectors: readonly Selector[] = [
  { query: {}, namespace: '', matches: () => true },
  { query: {}, namespace: 'a', matches: (object) => object.metadata.namespace === 'a' },
  {
    query: { labelSelector: 'tier=x' },
    namespace: '',
    matches: (object) => object.metadata.labels?.['tier'] === 'x',
  },
  {
    query: { labelSelector: 'tier in (y,z),!gone' },
    namespace: 'b',
    matches: ({ metadata: { namespace, labels } }) =>
      namespace === 'b' &&
      ['y', 'z'].includes(labels?.['tier'] ?? '') &&
      labels?.['gone'] === undefined,
  },
  {
    query: { fieldSelector: 'metadata.name=n1' },
    namespace: '',
    matches: (object) => object.metadata.name === 'n1',
  },
];

const kinds: Readonly<Record<string, Kind>> = {
  'config maps': {
    resource: resources.configMaps,
    prefix: '/registry/configmaps/',
    selectors,
    writes: [3000, 1500],
    content: (random) => ({ data: { random: String(random.float()) } }),
  },
  events: {
    resource: resources.events,
    prefix: '/registry/events/',
    selectors: [
      ...selectors,
      {
        query: { fieldSelector: 'reason=Pulled', labelSelector: 'tier!=x' },
        namespace: '',
        matches: ({ reason, metadata }) => reason === 'Pulled' && metadata.labels?.['tier'] !== 'x',
      },
    ],
    writes: [1500, 800],
    content: (random, namespace) => ({
      involvedObject: { kind: 'Pod', name: 'p', namespace },
      reason: ['Pulled', 'Started'][random.integer(2)],
      message: String(random.float()),
    }),
  },
};

function objectOf(bytes: Buffer): Written {
  return JSON.parse(bytes.toString()) as Written;
}

/** What a watcher with this selector must see of the log between two revisions. */
function expected(
  log: readonly StoreEvent[],
  selector: Selector,
  from: number,
  to: number,
): Seen[] {
  const seen: Seen[] = [];
  for (const event of log) {
    const { modRevision, type, key, value, previous } = event;
    if (modRevision <= from || modRevision > to) continue;
    const was = previous !== undefined && selector.matches(objectOf(previous));
    const is = type === 'put' && selector.matches(objectOf(value));
    const name = key.split('/').slice(-2).join('/');
    if (is) seen.push([was ? 'MODIFIED' : 'ADDED', name, modRevision]);
    else if (was) seen.push(['DELETED', name, modRevision]);
  }
  return seen;
}

class World {
  readonly backend: Backend;
  readonly log: StoreEvent[] = [];
  readonly random: Random;
  readonly kind: Kind;
  #server: ApiServer | undefined;
  #client: Client | undefined;
  isOver = false;

  constructor(backend: Backend, random: Random, kind: Kind) {
    this.backend = backend;
    this.random = random;
    this.kind = kind;
    backend.watch(kind.prefix, backend.currentRevision, {
      onEvents: (events) => this.log.push(...events),
      onError: (error) => assert.fail(error),
    });
  }

  get client(): Client {
    assert.ok(this.#client !== undefined);
    return this.#client;
  }

  /** A new server over the same store; the watches of the one before end. */
  async restart(): Promise<void> {
    const server = createApiServer({
      backend: this.backend,
      clock: systemClock,
      random: this.random,
      log: silentLogger,
      extend: () => ({
        authenticator: { authenticate: () => Promise.resolve({ user }) },
        authorizer: { authorize: () => Promise.resolve({ decision: 'allow', reason: '' }) },
      }),
    });
    await server.start();
    const old = this.#server;
    this.#server = server;
    this.#client = server.client(user, 'model');
    await old?.close();
  }

  /** Nothing happened for some minutes, as far as memory goes. */
  forget(): void {
    for (const { ring } of this.#server?.core.cache.caches() ?? []) {
      for (let i = 0; i < 3; i++) ring.age();
    }
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.backend.close();
  }

  async write(): Promise<void> {
    const { random, client } = this;
    const { resource, content } = this.kind;
    const namespace = random.integer(2) === 0 ? 'a' : 'b';
    const name = `n${random.integer(4)}`;
    const tier = ['x', 'y', 'z'][random.integer(3)] as string;
    const labels = { tier, ...(random.integer(4) === 0 ? { gone: '' } : {}) };
    const object: Written = { metadata: { name, namespace, labels } };
    Object.assign(object, content(random, namespace));
    try {
      const kind = random.integer(5);
      if (kind === 0) await client.delete(resource, name, { namespace });
      else if (kind === 1) await client.create(resource, object, { namespace });
      else await client.update(resource, object, { namespace });
    } catch (error) {
      if (!hasReason(error, 'NotFound') && !hasReason(error, 'AlreadyExists')) throw error;
    }
  }
}

/** Watches until the world is over, connecting again and again; returns what was checked. */
async function follow(
  world: World,
  selector: Selector,
): Promise<{ events: number; lists: number }> {
  const { random } = world;
  const { query, namespace } = selector;
  const counts = { events: 0, lists: 0 };
  const all: Seen[] = [];
  let from = -1;
  let checkedFrom = 0;
  const check = (): void => {
    if (checkedFrom < 0 || all.length === 0) return;
    const last = all.at(-1)?.[2] ?? 0;
    assert.deepEqual(all, expected(world.log, selector, checkedFrom, last));
    counts.events += all.length;
    all.length = 0;
    checkedFrom = last;
  };
  while (!world.isOver) {
    if (from < 0) {
      const list = await world.client.list(world.kind.resource, { namespace, ...query });
      from = Number(list.metadata.resourceVersion);
      checkedFrom = from;
      counts.lists++;
      if (world.isOver) break;
    }
    const stop = new AbortController();
    let left = 1 + random.integer(30);
    try {
      const events = world.client.watch(world.kind.resource, {
        namespace,
        ...query,
        resourceVersion: String(from),
        signal: stop.signal,
      });
      for await (const { type, object } of events) {
        const { metadata } = object;
        const revision = Number(metadata.resourceVersion);
        assert.ok(revision > from, `${revision} came after ${from}`);
        from = revision;
        all.push([type, `${metadata.namespace}/${metadata.name}`, revision]);
        if (--left === 0 || world.isOver) break;
      }
    } catch (error) {
      if (!hasReason(error, 'Expired')) throw error;
      check();
      from = -1;
    }
    stop.abort();
    check();
    await nextTurn();
  }
  // what came after the last event that was seen must have been of no interest
  const rest = from < 0 ? [] : expected(world.log, selector, from, Infinity);
  assert.ok(rest.length < 60, 'a watcher was left behind');
  return counts;
}

async function run(backend: Backend, kind: Kind, writes: number): Promise<void> {
  const random = seededRandom(seed);
  const world = new World(backend, random, kind);
  await world.restart();
  const watching = kind.selectors.flatMap((selector) => [
    follow(world, selector),
    follow(world, selector),
  ]);
  const writers = Array.from({ length: 4 }, async () => {
    for (let i = 0; i < writes / 4; i++) {
      await world.write();
      const dice = random.integer(400);
      if (dice === 0) await world.restart();
      if (dice > 380) world.forget();
      const target = backend.currentRevision - random.integer(60);
      if (dice < 3 && target > backend.compactRevision) await backend.compact(target);
    }
  });
  try {
    await Promise.race([Promise.all(writers), Promise.all(watching)]);
  } finally {
    world.isOver = true;
    await world.restart();
  }
  const counts = await Promise.all(watching);
  await world.close();
  for (const { events } of counts) assert.ok(events > writes / 100, JSON.stringify(counts));
  assert.ok(world.log.length > writes / 4);
}

describe(`watches against a model, seed ${seed}`, () => {
  const options = { clock: systemClock, log: silentLogger };

  for (const [what, kind] of Object.entries(kinds)) {
    test(`${what} in memory`, async () => {
      await run(
        await openBackend({ ...options, dataDir, endpoint: 'memory://' }),
        kind,
        kind.writes[0],
      );
    });

    test(`${what} in SQLite`, async () => {
      const own = join(dataDir, kind.resource.resource);
      await run(
        await openBackend({ ...options, dataDir: own, endpoint: '' }),
        kind,
        kind.writes[1],
      );
    });
  }
});
