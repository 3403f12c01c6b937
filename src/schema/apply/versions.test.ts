import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiStatusError } from '#base/api-status-error.ts';
import { catalog } from '../catalog.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { createTypeLookup, parseStructural } from '../structural/mod.ts';
import type { OtherVersions } from './mod.ts';
import { serverSideApplyAcross, trackUpdateAcross } from './mod.ts';

type Json = Record<string, unknown>;

const text = { type: 'string' };
const typesOf = (...names: string[]): ReturnType<typeof createTypeLookup> =>
  createTypeLookup(
    parseStructural({
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: Object.fromEntries(names.map((name) => [name, text])),
        },
      },
    }),
  );
const pods = catalog.byResource({ group: '', version: 'v1', resource: 'pods' });
const infoOf = (version: string): ResourceInfo => {
  assert.ok(pods);
  const rest = { typeName: '', subresources: [] };
  return { ...pods, group: 'g', version, kind: 'Host', resource: 'hosts', ...rest };
};
const known = new Map([
  ['g/v1', typesOf('address', 'note')],
  ['g/v2', typesOf('host', 'note')],
]);

/** spec.address of v1 is spec.host in v2. */
function convert(object: UnknownObject, apiVersion: string): Promise<UnknownObject> {
  if (object.apiVersion === apiVersion) return Promise.resolve(object);
  const { address, host, ...rest } = (object['spec'] ?? {}) as Json;
  const value = address ?? host;
  const name = apiVersion === 'g/v1' ? 'address' : 'host';
  const spec = value === undefined ? rest : { ...rest, [name]: value };
  return Promise.resolve({ ...object, apiVersion, spec });
}
const versions: OtherVersions = { types: (apiVersion) => known.get(apiVersion), convert };

interface Write {
  version: string;
  manager: string;
  spec: Json;
  force?: boolean;
  versions?: OtherVersions;
}

async function inVersion(live: UnknownObject, version: string): Promise<UnknownObject> {
  return await convert(live, `g/${version}`);
}

async function apply(live: UnknownObject | undefined, write: Write): Promise<UnknownObject> {
  const { version, manager, spec, force = false } = write;
  const apiVersion = `g/${version}`;
  return await serverSideApplyAcross(
    {
      live: live === undefined ? undefined : await inVersion(live, version),
      applied: { apiVersion, kind: 'Host', metadata: { name: 'a' }, spec },
      manager,
      force,
      info: infoOf(version),
      subresource: '',
      nowMs: 0,
      types: known.get(apiVersion)!,
    },
    write.versions ?? versions,
  );
}

async function update(live: UnknownObject, write: Write): Promise<UnknownObject> {
  const { version, manager, spec } = write;
  const old = await inVersion(live, version);
  const types = known.get(`g/${version}`)!;
  const object = { ...old, spec };
  return await trackUpdateAcross(
    {
      old,
      object,
      manager,
      operation: 'Update',
      info: infoOf(version),
      subresource: '',
      nowMs: 0,
      types,
    },
    write.versions ?? versions,
  );
}

function owned(object: UnknownObject): Json {
  const entries = object.metadata.managedFields ?? [];
  return Object.fromEntries(
    entries.map(({ manager = '', apiVersion, fieldsV1 }) => [
      `${manager} ${apiVersion}`,
      Object.keys((fieldsV1 as { 'f:spec': Json })['f:spec']),
    ]),
  );
}

test('a conflict is told in the version in which its owner named the field', async () => {
  const live = await apply(undefined, { version: 'v1', manager: 'one', spec: { address: 'x' } });
  const other: Write = { version: 'v2', manager: 'two', spec: { host: 'y' } };
  await assert.rejects(apply(live, other), (error) => {
    assert.ok(error instanceof ApiStatusError);
    assert.equal(error.message, 'Apply failed with 1 conflict: conflict with "one": .spec.address');
    return true;
  });
  const forced = await apply(live, { ...other, force: true });
  assert.deepEqual(owned(forced), { 'two g/v2': ['f:host'] });
});

test('the same value under two names is shared', async () => {
  const live = await apply(undefined, { version: 'v1', manager: 'one', spec: { address: 'x' } });
  const both = await apply(live, { version: 'v2', manager: 'two', spec: { host: 'x' } });
  assert.deepEqual(owned(both), { 'one g/v1': ['f:address'], 'two g/v2': ['f:host'] });
});

test('what was applied in another version goes when it is left out', async () => {
  const first = { address: 'x', note: 'n' };
  const live = await apply(undefined, { version: 'v1', manager: 'one', spec: first });
  const next = await apply(live, { version: 'v2', manager: 'one', spec: { note: 'n' } });
  assert.deepEqual(next['spec'], { note: 'n' });
  assert.deepEqual(owned(next), { 'one g/v2': ['f:note'] });
});

test('what another manager has under another name stays', async () => {
  const first = { address: 'x', note: 'n' };
  const live = await apply(undefined, { version: 'v1', manager: 'one', spec: first });
  const both = await apply(live, { version: 'v2', manager: 'two', spec: { host: 'x' } });
  const next = await apply(both, { version: 'v2', manager: 'one', spec: { note: 'n' } });
  assert.deepEqual(next['spec'], { host: 'x', note: 'n' });
});

test('an update takes a field from its owner in another version', async () => {
  const first = { address: 'x', note: 'n' };
  const live = await apply(undefined, { version: 'v1', manager: 'one', spec: first });
  const next = await update(live, {
    version: 'v2',
    manager: 'editor',
    spec: { host: 'y', note: 'n' },
  });
  assert.deepEqual(owned(next), { 'one g/v1': ['f:note'], 'editor g/v2': ['f:host'] });
});

test('owners in a version that is gone are forgotten', async () => {
  const live = await apply(undefined, { version: 'v1', manager: 'one', spec: { address: 'x' } });
  const gone: OtherVersions = {
    ...versions,
    types: (apiVersion) => (apiVersion === 'g/v1' ? undefined : known.get(apiVersion)),
  };
  const two: Write = { version: 'v2', manager: 'two', spec: { host: 'y' }, versions: gone };
  assert.deepEqual(owned(await apply(live, two)), { 'two g/v2': ['f:host'] });
});

test('an update that cannot be compared elsewhere leaves no owners', async () => {
  const live = await apply(undefined, { version: 'v1', manager: 'one', spec: { address: 'x' } });
  const broken: OtherVersions = { ...versions, convert: () => Promise.reject(new Error('broken')) };
  const write: Write = { version: 'v2', manager: 'two', spec: { host: 'y' }, versions: broken };
  assert.equal((await update(live, write)).metadata.managedFields, undefined);
  await assert.rejects(apply(live, write), /broken/);
});
