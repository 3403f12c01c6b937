import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { ConfigMap } from '#schema/types.ts';
import type { AdmissionPlugin } from '../admission/plugin.ts';
import { startTestServer } from '../test-server.ts';

/** A plugin of the time before managed fields had types. */
const outdated: AdmissionPlugin = {
  name: 'Outdated',
  handles: ({ operation }) => operation !== 'DELETE',
  mutate({ object }) {
    if (object === undefined) return;
    object.metadata = {
      ...object.metadata,
      managedFields: [{ manager: 'old', operation: 'Update', apiVersion: 'v1' }],
    };
  },
};

test('managed fields that a plugin broke are as they were before', async () => {
  const { client, close } = await startTestServer({ extensions: { admissionPlugins: [outdated] } });
  const object: ConfigMap = { metadata: { name: 'kept' }, data: { a: '1' } };
  const at = { namespace: 'default', fieldManager: 'm' };
  const made = await client.create(resources.configMaps, object, at);
  assert.deepEqual(
    made.metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
    [['m', { 'f:data': { '.': {}, 'f:a': {} } }]],
  );
  const patch = { type: 'merge', body: { data: { b: '2' } } } as const;
  const patched = await client.patch<ConfigMap>(resources.configMaps, 'kept', patch, at);
  assert.equal(patched.metadata.managedFields?.[0]?.manager, 'm');
  await close();
});
