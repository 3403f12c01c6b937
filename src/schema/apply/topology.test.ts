import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { catalog } from '../catalog.ts';
import type { UnknownObject } from '../object.ts';
import { createTypeLookup, parseStructural } from '../structural/mod.ts';
import { serverSideApply, trackUpdate } from './mod.ts';

type Types = ReturnType<typeof createTypeLookup>;

/** A kind with a list and a map that are owned part by part, or as wholes. */
function typesOf(listType: object, mapType: 'granular' | 'atomic'): Types {
  const item = { type: 'object', properties: { k: { type: 'string' }, v: { type: 'string' } } };
  const list = { type: 'array', items: item, ...listType };
  const map = {
    type: 'object',
    additionalProperties: { type: 'string' },
    'x-kubernetes-map-type': mapType,
  };
  return createTypeLookup(parseStructural({ type: 'object', properties: { list, map } }));
}
const keyed = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] };
const byParts = typesOf(keyed, 'granular');
const asWholes = typesOf({ 'x-kubernetes-list-type': 'atomic' }, 'atomic');

const pods = catalog.byResource({ group: '', version: 'v1', resource: 'pods' });
assert.ok(pods);
const info = { ...pods, group: 'g', version: 'v1', kind: 'Thing', typeName: '' };
const common = { info, subresource: '', nowMs: 0 };
const thing = (fields: object): UnknownObject => ({
  apiVersion: 'g/v1',
  kind: 'Thing',
  metadata: { name: 'a' },
  ...fields,
});

function apply(
  live: UnknownObject | undefined,
  manager: string,
  fields: object,
  types: Types,
): UnknownObject {
  return serverSideApply({ ...common, live, applied: thing(fields), manager, force: false, types });
}

const sets = ({ metadata }: UnknownObject): object =>
  Object.fromEntries((metadata.managedFields ?? []).map((one) => [one.manager, one.fieldsV1]));

const first = { list: [{ k: 'a', v: '1' }], map: { x: '1' } };

test('who owned parts of what became a whole owns it, and is in the way of others', () => {
  const created = apply(undefined, 'one', first, byParts);
  const other = { list: [{ k: 'b', v: '1' }], map: { x: '2' } };
  assert.throws(
    () => apply(created, 'two', other, asWholes),
    (error: unknown) => {
      assert.ok(hasReason(error, 'Conflict'));
      assert.match(messageOf(error), /- \.list\n- \.map$/);
      return true;
    },
  );
  const again = apply(created, 'one', other, asWholes);
  assert.deepEqual([again['list'], again['map']], [other.list, other.map]);
  assert.deepEqual(sets(again), { one: { 'f:list': {}, 'f:map': {} } });
});

test('an update takes the whole from who owned parts of it', () => {
  const created = apply(undefined, 'one', first, byParts);
  const { managedFields } = created.metadata;
  const given = thing({ ...first, map: { x: '2' } });
  const object = { ...given, metadata: { ...given.metadata, managedFields } };
  const operation = 'Update' as const;
  const updated = trackUpdate({
    ...common,
    old: created,
    object,
    manager: 'editor',
    operation,
    types: asWholes,
  });
  assert.deepEqual(sets(updated), { one: { 'f:list': {} }, editor: { 'f:map': {} } });
});
