import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resources } from '#client/mod.ts';

import { FakeObjectReader } from '../../authz/fake-object-reader.ts';
import { admit } from '../fake-attributes.ts';
import { createLimitRanger } from './limit-ranger.ts';

function setUp(...limits: object[]) {
  const reader = new FakeObjectReader();
  const metadata = { namespace: 'ns', name: 'l' };
  reader.put(resources.limitRanges, { metadata, spec: { limits } } as never);
  return createLimitRanger({ reader });
}

test('a claim that is being deleted is not held up', async () => {
  const plugin = setUp({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' } });
  const metadata = { namespace: 'ns', name: 'c' };
  const object = { metadata, spec: { resources: { requests: { storage: '1Mi' } } } };
  const resource = 'persistentvolumeclaims';
  await assert.rejects(admit(plugin, { resource, object, old: object }), {
    message: /minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi$/,
  });
  const old = { ...object, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  await admit(plugin, { resource, object, old });
});

test('the overhead of a pod does not count against its limits, and its own requests do', async () => {
  const plugin = setUp({ type: 'Pod', max: { cpu: '1' } });
  const metadata = { namespace: 'ns', name: 'p' };
  const requirements = { requests: { cpu: '1' }, limits: { cpu: '1' } };
  const spec = {
    containers: [{ name: 'c', resources: requirements }],
    overhead: { cpu: '500m' },
  };
  await admit(plugin, { resource: 'pods', object: { metadata, spec } });
  const more = { ...spec, resources: { requests: { cpu: '2' }, limits: { cpu: '2' } } };
  await assert.rejects(admit(plugin, { resource: 'pods', object: { metadata, spec: more } }), {
    message: /maximum cpu usage per Pod is 1, but limit is 2$/,
  });
});
