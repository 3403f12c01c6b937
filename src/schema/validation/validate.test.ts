import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { catalog } from '../catalog.ts';
import { applyDefaults } from '../defaults/apply.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import type { ValueInfo } from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import { kindUnderTest, linesOf } from './testing/check-kind.ts';
import { validObjects } from './testing/valid-objects.ts';
import { validateCreate, validateUpdate } from './validate.ts';

/** Kinds whose objects are only ever read or answered. */
const unstored = /Review$|^Binding$|^ComponentStatus$/;

const storedKinds = catalog.all.filter((info) => !unstored.test(info.kind));

function keyOf(info: ResourceInfo): string {
  const key = `${info.group}/${info.resource}`;
  return info.version === 'v1' && `${key}/v1` in validObjects ? `${key}/v1` : key;
}

test('a valid object of every kind passes, new and unchanged', () => {
  for (const info of storedKinds) {
    const valid = validObjects[keyOf(info)];
    assert.ok(valid, keyOf(info));
    const kind = kindUnderTest(info.group, info.resource, valid, info.version);
    assert.deepEqual(kind.created({}), [], keyOf(info));
    assert.deepEqual(kind.updated({}, {}), [], keyOf(info));
    for (const { name } of info.subresources) {
      if (name === 'status') continue;
      assert.deepEqual(kind.updated({}, {}, name), [], `${keyOf(info)}/${name}`);
    }
  }
});

test('no object of the right types makes a rule throw', () => {
  const statuses = ['', 'status', 'resize', 'ephemeralcontainers', 'finalize', 'approval'];
  for (const info of catalog.all) {
    const objects = objectsOf(info);
    fc.assert(
      fc.property(objects, objects, fc.constantFrom(...statuses), (object, old, subresource) => {
        applyDefaults(object, info.typeName);
        applyDefaults(old, info.typeName);
        for (const error of validateCreate(info, object)) assert.ok(error.message.length > 0);
        for (const error of validateUpdate(info, object, old, subresource)) {
          assert.ok(error.message.length > 0);
        }
      }),
      { numRuns: 25, seed: 7 },
    );
  }
});

function objectsOf(info: ResourceInfo): fc.Arbitrary<UnknownObject> {
  const body = valueOf({ ...untypedInfo, kind: 'struct', typeName: info.typeName }, 0);
  return body.map((value) => {
    const object = value as Record<string, unknown>;
    return { ...object, metadata: object['metadata'] ?? {} } as UnknownObject;
  });
}

const untypedInfo: ValueInfo = {
  kind: 'untyped',
  scalar: undefined,
  untyped: 'json',
  typeName: undefined,
  element: undefined,
};
const words = ['', 'a', 'None', 'In', 'Exists', '10.0.0.1', '/..', 'Always', 'Indexed', '*', '1-2'];

/** Values of a type: each field is there or not, lists are short, nesting ends. */
function valueOf(info: ValueInfo, depth: number): fc.Arbitrary<unknown> {
  switch (info.kind) {
    case 'scalar':
      return scalarOf(info);
    case 'list':
      return fc.array(valueOf(info.element ?? untypedInfo, depth + 1), { maxLength: 2 });
    case 'map':
      return fc.dictionary(
        fc.constantFrom('a', 'cpu', 'A/b/c', ''),
        valueOf(info.element ?? untypedInfo, depth + 1),
        { maxKeys: 2 },
      );
    case 'untyped':
      return fc.jsonValue({ maxDepth: 2 });
    case 'struct':
  }
  const fields = [...(typeTable.type(info.typeName ?? '')?.fields.values() ?? [])];
  if (depth > 7) return fc.constant({});
  const chosen = fc.subarray(fields, { maxLength: Math.min(fields.length, 8) });
  return chosen.chain((some) =>
    fc.record(Object.fromEntries(some.map((field) => [field.name, valueOf(field, depth + 1)]))),
  );
}

function scalarOf(info: ValueInfo): fc.Arbitrary<unknown> {
  switch (info.scalar) {
    case 'bool':
      return fc.boolean();
    case 'int32':
    case 'int64':
    case 'double':
      return fc.integer({ min: -2, max: 100 });
    case 'quantity':
      return fc.constantFrom('0', '-1', '1', '1500m', '2Gi');
    case 'int-or-string':
      return fc.oneof(fc.integer({ min: -1, max: 70000 }), fc.constantFrom('50%', 'http', '200%'));
    case 'time':
    case 'micro-time':
      return fc.constant('2026-01-01T00:00:00Z');
    case 'byte':
      return fc.constantFrom('', 'AAAA');
    default:
      return fc.constantFrom(...words);
  }
}

test('metadata is checked for every kind', () => {
  const maps = kindUnderTest('', 'configmaps', {});
  const subdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  const nameText =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  const valueText =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  maps.create([
    [{ 'metadata.name': '' }, 'metadata.name: Required value: name or generateName is required'],
    [{ 'metadata.name': 'A_b' }, `metadata.name: Invalid value: "A_b": ${subdomain}`],
    [{ 'metadata.namespace': undefined }, 'metadata.namespace: Required value'],
    [{ 'metadata.labels': { 'a b': '' } }, `metadata.labels: Invalid value: "a b": ${nameText}`],
    [{ 'metadata.labels': { a: '-' } }, `metadata.labels: Invalid value: "-": ${valueText}`],
    [{ 'metadata.annotations': { 'Example.com/A': '' } }],
    [
      { 'metadata.annotations': { a: 'x'.repeat(262144) } },
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
    [
      { 'metadata.finalizers': ['mine'] },
      'metadata.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [
      { 'metadata.ownerReferences': [{ apiVersion: '', kind: 'Pod', name: '', uid: 'x' }] },
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
    ],
  ]);
  maps.update([
    [
      { 'metadata.uid': 'x' },
      { 'metadata.uid': 'y' },
      'metadata.uid: Invalid value: "y": field is immutable',
    ],
    [
      { 'metadata.deletionTimestamp': '2026-01-01T00:00:00Z', 'metadata.finalizers': ['a.b/c'] },
      { 'metadata.finalizers': ['a.b/c', 'a.b/z', 'a.b/d'] },
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/d", "a.b/z"}',
    ],
  ]);
});

test('cluster scoped kinds have no namespace', () => {
  const nodes = kindUnderTest('', 'nodes', {});
  nodes.create([
    [
      { 'metadata.namespace': 'default' },
      'metadata.namespace: Forbidden: not allowed on this type',
    ],
  ]);
});

test('custom resources have a name of their own sort and nothing more', () => {
  const pods = catalog.byResource({ group: '', version: 'v1', resource: 'pods' });
  assert.ok(pods);
  const info = { ...pods, group: 'example.com', kind: 'Widget', resource: 'widgets' };
  const widget = (name: string): UnknownObject => ({
    metadata: { name, namespace: 'default', finalizers: ['mine'] },
    spec: 7,
  });
  assert.deepEqual(validateCreate(info, widget('a')), []);
  assert.match(linesOf(validateCreate(info, widget('A')))[0] ?? '', /^metadata\.name: Invalid/);
});
