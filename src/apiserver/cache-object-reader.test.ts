import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import { catalog } from '#schema/mod.ts';
import { openBackend } from '#store/mod.ts';
import type { Backend } from '#store/mod.ts';
import { objectReaderSuite } from './authz/object-reader-suite.ts';
import type { ReaderUnderTest } from './authz/object-reader-suite.ts';
import { CacheObjectReader } from './cache-object-reader.ts';
import { WatchCache } from './cache/mod.ts';
import { ResourceRegistry } from './resource-registry.ts';

const prefix = '/registry/clusterroles/';
const info = catalog.byResource(resources.clusterRoles) ?? assert.fail();

function open(): Promise<Backend> {
  const clock = new FakeClock();
  return openBackend({ endpoint: 'memory://', dataDir: '', clock, log: silentLogger });
}

function parts(backend: Backend): { cache: WatchCache; registry: ResourceRegistry } {
  const cache = new WatchCache({ backend, clock: new FakeClock(), log: silentLogger });
  const registry = new ResourceRegistry({
    watchCache: cache,
    decodeForeign: () => assert.fail('no foreign values'),
  });
  return { cache, registry };
}

const bytesOf =
  (name: string, labels: Record<string, string>) =>
  (revision: number): Buffer =>
    Buffer.from(
      JSON.stringify({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name, labels, resourceVersion: String(revision) },
        rules: [],
      }),
    );

async function create(): Promise<ReaderUnderTest> {
  const backend = await open();
  const { cache, registry } = parts(backend);
  registry.add([info]);
  cache.start();
  const served = registry.byResource(info)?.cache ?? assert.fail();
  await cache.add(served);
  const revisions = new Map<string, number>();
  return {
    reader: new CacheObjectReader(registry),
    async put(name, labels) {
      const key = `${prefix}${name}`;
      const known = revisions.get(name);
      const { modRevision } =
        known === undefined
          ? await backend.create(key, bytesOf(name, labels))
          : await backend.update(key, known, bytesOf(name, labels));
      revisions.set(name, modRevision);
    },
    async remove(name) {
      const last = await backend.get(`${prefix}${name}`);
      const key = `${prefix}${name}`;
      await backend.delete(key, revisions.get(name) ?? 0, () => last?.value ?? Buffer.alloc(0));
    },
  };
}

describe('CacheObjectReader', () => {
  objectReaderSuite(create);

  it('tells listeners from before the resources were added what the store already holds', async () => {
    const backend = await open();
    await backend.create(`${prefix}old`, bytesOf('old', {}));
    const { cache, registry } = parts(backend);
    const told: string[] = [];
    new CacheObjectReader(registry).onChange<KubeObject>(info, ({ next }) => {
      told.push(next?.metadata.name ?? '-');
    });
    registry.add([info]);
    cache.start();
    await cache.add(registry.byResource(info)?.cache ?? assert.fail());
    await backend.create(`${prefix}new`, bytesOf('new', {}));
    assert.deepEqual(told, ['old', 'new']);
  });
});
