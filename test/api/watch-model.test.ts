/**
 * Watches against a model: random writes, compactions, interrupted watches and restarted servers.
 * What the store's own log says happened must reach every watcher once and in order, through its
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
import type { ConfigMap } from '#schema/types.ts';
import type { Backend, StoreEvent } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';

const seed = Number(process.env['K3TS_SEED'] ?? 7);
const user = { name: 'admin', groups: ['system:masters'] };
const prefix = '/registry/configmaps/';
const dataDir = mkdtempSync(join(tmpdir(), 'k3ts-watch-model-'));
after(() => rmSync(dataDir, { recursive: true, force: true }));

/** A change as a watcher reports it. */
type Seen = readonly [type: string, key: string, revision: number];

interface Selector {
  readonly query: { labelSelector?: string; fieldSelector?: string };
  readonly namespace: string;
  matches(object: ConfigMap): boolean;
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

function objectOf(bytes: Buffer): ConfigMap {
  return JSON.parse(bytes.toString()) as ConfigMap;
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
    const name = key.slice(prefix.length);
    if (is) seen.push([was ? 'MODIFIED' : 'ADDED', name, modRevision]);
    else if (was) seen.push(['DELETED', name, modRevision]);
  }
  return seen;
}

class World {
  readonly backend: Backend;
  readonly log: StoreEvent[] = [];
  readonly random: Random;
  #server: ApiServer | undefined;
  #client: Client | undefined;
  isOver = false;

  constructor(backend: Backend, random: Random) {
    this.backend = backend;
    this.random = random;
    backend.watch(prefix, backend.currentRevision, {
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

  async close(): Promise<void> {
    await this.#server?.close();
    await this.backend.close();
  }

  async write(): Promise<void> {
    const { random, client } = this;
    const namespace = random.integer(2) === 0 ? 'a' : 'b';
    const name = `n${random.integer(4)}`;
    const tier = ['x', 'y', 'z'][random.integer(3)] as string;
    const labels = { tier, ...(random.integer(4) === 0 ? { gone: '' } : {}) };
    const object: ConfigMap = { metadata: { name, namespace, labels } };
    try {
      const kind = random.integer(5);
      if (kind === 0) await client.delete(resources.configMaps, name, { namespace });
      else if (kind === 1) await client.create(resources.configMaps, object, { namespace });
      else {
        object.data = { random: String(random.float()) };
        await client.update(resources.configMaps, object, { namespace });
      }
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
      const list = await world.client.list(resources.configMaps, { namespace, ...query });
      from = Number(list.metadata.resourceVersion);
      checkedFrom = from;
      counts.lists++;
    }
    const stop = new AbortController();
    let left = 1 + random.integer(30);
    try {
      const events = world.client.watch<ConfigMap>(resources.configMaps, {
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

async function run(backend: Backend, writes: number): Promise<void> {
  const random = seededRandom(seed);
  const world = new World(backend, random);
  await world.restart();
  const watching = selectors.flatMap((selector) => [
    follow(world, selector),
    follow(world, selector),
  ]);
  const writers = Array.from({ length: 4 }, async () => {
    for (let i = 0; i < writes / 4; i++) {
      await world.write();
      const dice = random.integer(400);
      if (dice === 0) await world.restart();
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
  const options = { clock: systemClock, log: silentLogger, dataDir };

  test('in memory', async () => {
    await run(await openBackend({ ...options, endpoint: 'memory://' }), 3000);
  });

  test('in SQLite', async () => {
    await run(await openBackend({ ...options, endpoint: '' }), 1500);
  });
});
