import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Pod, Toleration } from '#schema/types.ts';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { admit } from './fake-attributes.ts';
import type { TolerationConfig } from './pod-toleration-restriction.ts';
import { createPodTolerationRestriction } from './pod-toleration-restriction.ts';

const gpu: Toleration = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' };
const spot: Toleration = { key: 'spot', operator: 'Equal', value: 'yes' };
const pressure = {
  key: 'node.kubernetes.io/memory-pressure',
  operator: 'Exists',
  effect: 'NoSchedule',
};

async function tolerationsOf(
  annotations: Record<string, string>,
  tolerations: Toleration[],
  requests: Record<string, string> = {},
  cluster?: TolerationConfig,
): Promise<Toleration[]> {
  const reader = new FakeObjectReader();
  reader.put(resources.namespaces, { metadata: { name: 'ns', annotations } });
  const container = { name: 'c', image: 'i', resources: { requests } };
  const object = {
    metadata: { name: 'p', namespace: 'ns' },
    spec: { containers: [container], tolerations },
  };
  await admit(createPodTolerationRestriction({ reader, tolerations: cluster }), {
    resource: 'pods',
    object,
  });
  return (object as unknown as Pod).spec?.tolerations ?? [];
}

const defaults = (list: unknown): Record<string, string> => ({
  'scheduler.alpha.kubernetes.io/defaultTolerations': JSON.stringify(list),
});
const allowed = (list: unknown): Record<string, string> => ({
  'scheduler.alpha.kubernetes.io/tolerationsWhitelist': JSON.stringify(list),
});

test('a pod gets the tolerations of its namespace beside its own, each once', async () => {
  assert.deepEqual(await tolerationsOf(defaults([gpu]), [spot]), [spot, gpu]);
  const narrow: Toleration = { key: 'gpu', operator: 'Equal', value: 'a', effect: 'NoSchedule' };
  assert.deepEqual(await tolerationsOf(defaults([gpu]), [gpu, narrow]), [gpu]);
  assert.deepEqual(await tolerationsOf(defaults([narrow]), [gpu]), [gpu]);
});

test('a pod that asks for resources tolerates a lack of memory', async () => {
  assert.deepEqual(await tolerationsOf({}, [], { cpu: '1' }), [pressure]);
  assert.deepEqual(await tolerationsOf({}, []), []);
});

test('other tolerations than those of the list are refused', async () => {
  assert.deepEqual(await tolerationsOf(allowed([{ key: 'gpu', operator: 'Exists' }]), [gpu]), [
    gpu,
  ]);
  await assert.rejects(tolerationsOf(allowed([gpu]), [spot]), {
    httpCode: 500,
    message:
      'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
  });
});

test('a namespace that says nothing has what the configuration says', async () => {
  const cluster = { default: [gpu], whitelist: [gpu] };
  assert.deepEqual(await tolerationsOf({}, [], {}, cluster), [gpu]);
  assert.deepEqual(await tolerationsOf(defaults([]), [], {}, cluster), []);
  await assert.rejects(tolerationsOf({}, [spot], {}, cluster), {
    message:
      'pod tolerations (possibly merged with cluster default tolerations) conflict with its cluster whitelist',
  });
});
