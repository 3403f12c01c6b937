import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { UnknownObject } from '#schema/mod.ts';
import { createColumns } from './columns.ts';
import { compileJsonPath } from './json-path.ts';

const root = {
  metadata: { annotations: { 'a.b/c': 'x' } },
  spec: {
    n: 3,
    list: [
      { name: 'a', v: 1 },
      { name: 'b', v: 2 },
    ],
    map: { x: 1, y: 2 },
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
};

const paths: ReadonlyArray<readonly [path: string, ...found: unknown[]]> = [
  ['.spec.n', 3],
  ['.spec.missing.deeper'],
  ['.metadata.annotations.a\\.b/c', 'x'],
  [".metadata.annotations['a.b/c']", 'x'],
  ['.spec.list[0].name', 'a'],
  ['.spec.list[-1].name', 'b'],
  ['.spec.list[5].name'],
  ['.spec.list[*].name', 'a', 'b'],
  ['.spec.list[0:1].name', 'a'],
  ['.spec.list[0,1].v', 1, 2],
  ['.spec.map.*', 1, 2],
  ['.status.conditions[?(@.type=="Ready")].status', 'True'],
  [".status.conditions[?(@.type=='Other')].status", 'False'],
  ['.spec.list[?(@.v>1)].name', 'b'],
  ['.spec.list[?(@.v)].name', 'a', 'b'],
  ['..status', root.status, 'True', 'False'],
];

describe('JSON paths of columns', () => {
  for (const [path, ...found] of paths) {
    it(path, () => assert.deepEqual(compileJsonPath(path)?.(root), found));
  }

  it('that cannot be read are no paths', () => {
    assert.equal(compileJsonPath('.a[?(@.b'), undefined);
    assert.equal(compileJsonPath('a b'), undefined);
  });
});

describe('columns', () => {
  const object = {
    metadata: { name: 'x', creationTimestamp: '1970-01-01T00:00:00Z' },
    spec: { n: 3.7, b: true, s: 'text', o: { a: 1 }, l: ['p', 'q'], when: 'never' },
  } as unknown as UnknownObject;
  const cell = (type: string, jsonPath: string): unknown =>
    createColumns([{ name: 'C', type, jsonPath }]).cells(object, 60_000)[1];

  it('are Name and Age when none are declared', () => {
    const set = createColumns(undefined);
    assert.deepEqual(
      set.columns.map(({ name }) => name),
      ['Name', 'Age'],
    );
    assert.deepEqual(set.cells(object, 60_000), ['x', '60s']);
  });

  it('have values of their type or none', () => {
    assert.equal(cell('integer', '.spec.n'), 3);
    assert.equal(cell('number', '.spec.n'), 3.7);
    assert.equal(cell('integer', '.spec.s'), null);
    assert.equal(cell('boolean', '.spec.b'), true);
    assert.equal(cell('string', '.spec.n'), '3.7');
    assert.equal(cell('string', '.spec.o'), '{"a":1}');
    assert.equal(cell('string', '.spec.missing'), null);
    assert.equal(cell('date', '.metadata.creationTimestamp'), '60s');
    assert.equal(cell('date', '.spec.when'), '<invalid>');
  });
});
