import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { catalog } from './catalog.ts';
import { typeTable } from './type-table/type-table.ts';

test('finds a resource by plural and by kind', () => {
  const pods = catalog.byResource({ group: '', version: 'v1', resource: 'pods' });
  assert.equal(pods?.kind, 'Pod');
  assert.equal(pods.storagePrefix, '/registry/pods/');
  assert.deepEqual(pods.shortNames, ['po']);
  assert.equal(
    catalog.byKind({ group: 'apps', version: 'v1', kind: 'Deployment' })?.resource,
    'deployments',
  );
  assert.equal(catalog.byResource({ group: 'apps', version: 'v1', resource: 'pods' }), undefined);
});

test('keeps upstream store prefixes', () => {
  const prefixes = {
    services: '/registry/services/specs/',
    endpoints: '/registry/services/endpoints/',
    nodes: '/registry/minions/',
    replicationcontrollers: '/registry/controllers/',
  };
  for (const [resource, prefix] of Object.entries(prefixes)) {
    assert.equal(catalog.byResource({ group: '', version: 'v1', resource })?.storagePrefix, prefix);
  }
  const ingresses = { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses' };
  assert.equal(catalog.byResource(ingresses)?.storagePrefix, '/registry/ingress/');
});

test('both event APIs share one storage', () => {
  const newer = catalog.byKind({ group: 'events.k8s.io', version: 'v1', kind: 'Event' });
  assert.deepEqual(newer?.storage, { group: '', version: 'v1', kind: 'Event' });
  assert.equal(newer.storagePrefix, '/registry/events/');
});

test('every resource has a type, and a storage prefix when it is stored', () => {
  assert.equal(catalog.all.length, 68);
  for (const info of catalog.all) {
    assert.ok(typeTable.type(info.typeName), info.typeName);
    const isStored = info.verbs.includes('get') && info.resource !== 'componentstatuses';
    assert.equal(/^\/registry\/.+\/$/.test(info.storagePrefix), isStored, info.resource);
    if (info.verbs.includes('list')) assert.equal(info.listKind, `${info.kind}List`);
  }
});

/** Upstream still writes these as v1beta1 and says so in the hash; k3ts writes v1, which it reads. */
const storedAsBeta = /^(customresourcedefinitions|mutatingadmissionpolic)/;

test('storage version hashes follow from what is stored', () => {
  for (const info of catalog.all) {
    if (info.storageVersionHash === '') continue;
    const { group, kind } = info.storage;
    const version = storedAsBeta.test(info.resource) ? 'v1beta1' : info.storage.version;
    const digest = createHash('sha256').update(`${group}/${version}/${kind}`).digest();
    assert.equal(info.storageVersionHash, digest.subarray(0, 8).toString('base64'), info.resource);
  }
});

test('groups come in discovery order', () => {
  const groups = catalog.groups();
  assert.deepEqual(
    groups.slice(0, 3).map((group) => group.group),
    ['', 'apiregistration.k8s.io', 'apps'],
  );
  assert.deepEqual(groups.find((group) => group.group === 'autoscaling')?.versions, ['v2', 'v1']);
});
