import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalog } from '../catalog.ts';
import { typeTable } from '../type-table/type-table.ts';
import { changesBetween } from './changes.ts';
import type { Change } from './changes.ts';
import type { FieldSet } from './fields-v1.ts';
import { inOrder, keptText, leaf } from './fields-v1.ts';
import { changeOfCreation } from './known-sketches.ts';
import type { StructShape } from './shape.ts';
import { ShapeTable } from './shape.ts';

type Json = Record<string, unknown>;

/** A shape of its own, which has no sketches yet. */
function shapeOf(group: string, resource: string): StructShape {
  const info = catalog.byResource({ group, version: 'v1', resource });
  assert.ok(info, resource);
  return new ShapeTable(typeTable).root(info.typeName);
}

function pod(container: Json = {}, metadata: Json = {}, spec: Json = {}): Json {
  const env = [{ name: 'A', value: 'a' }, { name: 'B' }];
  const ports = [{ containerPort: 80 }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: { app: 'a' }, ...metadata },
    spec: { containers: [{ name: 'main', image: 'i', env, ports, ...container }], ...spec },
  };
}

const pods: readonly Json[] = [
  pod(),
  pod({ image: 'other' }),
  pod({ image: '' }),
  pod({ name: 'other' }),
  pod({ env: [{ name: 'B' }, { name: 'A', value: 'a' }] }),
  pod({ env: [{ name: 'A', value: 'a' }] }),
  pod({ env: [] }),
  pod({ env: null }),
  pod({ ports: [{ containerPort: 80, protocol: 'UDP' }] }),
  pod({ ports: [{ containerPort: 81 }] }),
  pod({ resources: {} }),
  pod({ resources: { limits: { cpu: '1' } } }),
  pod({ resources: { limits: { memory: '1' } } }),
  pod({ resources: { limits: {} } }),
  pod({ command: ['a'] }),
  pod({ command: [] }),
  pod({ stdin: true }),
  pod({ stdin: false }),
  pod({}, { labels: { other: 'a' } }),
  pod({}, { labels: {} }),
  pod({}, { labels: { app: 'a', other: '' } }),
  pod({}, { labels: undefined }),
  pod({}, { finalizers: ['a/b'] }),
  pod({}, { finalizers: ['a/c'] }),
  pod({}, { finalizers: ['a/c', 'a/b'] }),
  pod({}, { generateName: 'a-', name: '' }),
  pod({}, {}, { nodeName: 'a' }),
  pod({}, {}, { nodeSelector: { a: 'b' } }),
  pod({}, {}, { tolerations: [{ key: 'a' }] }),
  pod({}, {}, { unknown: { a: [1], b: {} } }),
  pod({}, {}, { unknown: { a: {}, b: {} } }),
];

function slowly(object: Json, shape: StructShape, ignored: FieldSet): Change | undefined {
  return changesBetween({}, object, shape, ignored);
}

test('owners of new objects are the same with and without objects seen before', () => {
  for (let first = 0; first < pods.length; first++) {
    const shape = shapeOf('', 'pods');
    const statusOnly: FieldSet = { 'f:status': leaf };
    for (const ignored of [statusOnly, leaf]) {
      const make = (object: Json) => () => slowly(object, shape, ignored);
      changeOfCreation(pods[first]!, shape, ignored, make(pods[first]!));
      for (const object of pods) {
        const change = changeOfCreation(object, shape, ignored, make(object));
        const expected = slowly(object, shape, ignored);
        const text = (set: FieldSet | undefined) => JSON.stringify(set && inOrder(set));
        assert.equal(text(change?.changed), text(expected?.changed), JSON.stringify(object));
        assert.equal(change?.removed, undefined);
      }
    }
  }
});

test('objects that look like one before share its set, frozen and with its text', () => {
  const shape = shapeOf('', 'pods');
  const make = (object: Json) => () => slowly(object, shape, leaf);
  const first = changeOfCreation(pod(), shape, leaf, make(pod()))?.changed;
  const alike = pod({ image: 'x' }, { name: 'b', labels: { app: 'b' } });
  const second = changeOfCreation(alike, shape, leaf, () => assert.fail('worked out again'));
  assert.ok(first);
  assert.equal(second?.changed, first);
  assert.equal(keptText(first), JSON.stringify(first));
  assert.ok(Object.isFrozen(first['f:spec']?.['f:containers']));
  assert.equal(inOrder(first), first);
});

test('what is ignored tells sketches apart', () => {
  const shape = shapeOf('', 'pods');
  const object = { ...pod(), status: { phase: 'Running' } };
  const ignored: FieldSet = { 'f:status': leaf };
  const all = changeOfCreation(object, shape, leaf, () => slowly(object, shape, leaf));
  const some = changeOfCreation(object, shape, ignored, () => slowly(object, shape, ignored));
  assert.ok(all?.changed?.['f:status']);
  assert.equal(some?.changed?.['f:status'], undefined);
});

test('large objects and ever new ones leave nothing behind', () => {
  const shape = shapeOf('', 'configmaps');
  const data = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key-${i}`, 'v']));
  const large = { metadata: { name: 'a' }, data };
  let made = 0;
  const count = (object: Json) => () => {
    made++;
    return slowly(object, shape, leaf);
  };
  for (let i = 0; i < 3; i++) changeOfCreation(large, shape, leaf, count(large));
  assert.equal(made, 3);
  const small = { metadata: { name: 'a' }, data: { a: '' } };
  for (let i = 0; i < 100; i++) {
    const other = { metadata: { name: 'a' }, data: { [`key-${i}`]: '' } };
    changeOfCreation(other, shape, leaf, count(other));
  }
  made = 0;
  for (let i = 0; i < 10; i++) changeOfCreation(small, shape, leaf, count(small));
  assert.ok(made <= 8, 'a form that is frequent again is remembered soon');
});
