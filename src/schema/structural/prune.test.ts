import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { applySchemaDefaults } from './defaults.ts';
import { conformEmbedded, validateEmbedded } from './embedded.ts';
import { pruneObject } from './prune.ts';
import type { RawSchema } from './structural.ts';
import { parseStructural } from './structural.ts';

const schemaOf = (properties: Record<string, RawSchema>): ReturnType<typeof parseStructural> =>
  parseStructural({ type: 'object', properties });

describe('pruning', () => {
  const cases: ReadonlyArray<
    readonly [
      name: string,
      schema: RawSchema,
      before: unknown,
      after: unknown,
      ...unknown: string[],
    ]
  > = [
    [
      'unknown fields go',
      { type: 'object', properties: { a: { type: 'string' } } },
      { a: 'x', b: 1 },
      { a: 'x' },
      'f.b',
    ],
    [
      'fields in lists go',
      { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
      [{ a: 'x' }, { c: {} }],
      [{ a: 'x' }, {}],
      'f[1].c',
    ],
    [
      'maps keep their keys and prune their values',
      {
        type: 'object',
        additionalProperties: { type: 'object', properties: { a: { type: 'string' } } },
      },
      { k: { a: '', z: 1 } },
      { k: { a: '' } },
      'f.k.z',
    ],
    [
      'preserved fields stay, specified ones below are pruned',
      {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { a: { type: 'object', properties: { b: { type: 'string' } } } },
      },
      { free: { x: [{ y: 1 }] }, a: { c: 1 } },
      { free: { x: [{ y: 1 }] }, a: {} },
      'f.a.c',
    ],
    [
      'nulls go unless they are allowed or replaced',
      {
        type: 'object',
        properties: {
          a: { type: 'string' },
          b: { type: 'string', nullable: true },
          c: { type: 'string', default: 'x' },
        },
      },
      { a: null, b: null, c: null },
      { b: null, c: null },
    ],
    [
      'nulls in maps go as well, those in lists stay',
      {
        type: 'object',
        properties: {
          m: { type: 'object', additionalProperties: { type: 'string' } },
          n: { type: 'object', additionalProperties: { type: 'string', nullable: true } },
          l: { type: 'array', items: { type: 'string' } },
        },
      },
      { m: { a: null, b: 'x' }, n: { a: null }, l: [null] },
      { m: { b: 'x' }, n: { a: null }, l: [null] },
    ],
    [
      'embedded resources keep what all resources have',
      {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        properties: { spec: { type: 'object' } },
      },
      { apiVersion: 'v1', kind: 'K', metadata: { name: 'n' }, spec: { z: 1 }, q: 1 },
      { apiVersion: 'v1', kind: 'K', metadata: { name: 'n' }, spec: {} },
      'f.q',
      'f.spec.z',
    ],
  ];
  for (const [name, schema, before, after, ...unknown] of cases) {
    it(name, () => {
      const found: string[] = [];
      const object = { kind: 'X', apiVersion: 'v', metadata: { name: 'a' }, f: before };
      const copy = structuredClone(object);
      const pruned = pruneObject(object, schemaOf({ f: schema }), (path) => found.push(path));
      assert.deepEqual(pruned.f, after);
      assert.deepEqual(found, unknown);
      assert.deepEqual(object, copy, 'the object itself is left alone');
    });
  }

  it('returns the object itself when nothing has to go', () => {
    const object = { metadata: {}, f: { a: ['x'] } };
    const schema = schemaOf({
      f: { type: 'object', properties: { a: { type: 'array', items: { type: 'string' } } } },
    });
    assert.equal(pruneObject(object, schema), object);
    assert.equal(applySchemaDefaults(object, schema), object);
  });
});

describe('defaults', () => {
  it('fill absent fields and nulls, outer ones first, and are copies', () => {
    const schema = schemaOf({
      f: {
        type: 'object',
        default: {},
        properties: {
          a: { type: 'integer', default: 1 },
          list: {
            type: 'array',
            default: [{}],
            items: { type: 'object', properties: { b: { type: 'string', default: 'x' } } },
          },
        },
      },
      n: { type: 'string', nullable: true, default: 'd' },
      m: { type: 'string', default: 'd' },
    });
    const first = applySchemaDefaults({ n: null, m: null }, schema);
    assert.deepEqual(first, { n: null, m: 'd', f: { a: 1, list: [{ b: 'x' }] } });
    (first['f'] as { list: unknown[] }).list.push('mine');
    assert.deepEqual(applySchemaDefaults({}, schema), {
      n: 'd',
      m: 'd',
      f: { a: 1, list: [{ b: 'x' }] },
    });
  });
});

describe('embedded resources', () => {
  const schema = schemaOf({
    t: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
  });

  it('have metadata brought into form', () => {
    const unknown: string[] = [];
    const object = { t: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', bogus: 1 } } };
    const result = conformEmbedded(object, schema, (path) => unknown.push(path));
    assert.deepEqual(result.t.metadata, { name: 'a' });
    assert.deepEqual(unknown, ['t.metadata.bogus']);
    const wrong = { t: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 1 } } } };
    assert.throws(
      () => conformEmbedded(wrong, schema, () => undefined),
      /t\.metadata: Invalid value/,
    );
  });

  it('need a version and a kind', () => {
    const lines = (t: object): string[] =>
      validateEmbedded({ t }, schema).map(({ field, message }) => `${field}: ${message}`);
    assert.deepEqual(lines({}), ['t.apiVersion: Required value', 't.kind: Required value']);
    assert.deepEqual(lines({ apiVersion: 'a/b/c', kind: 'Pod' }), [
      't.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    ]);
    assert.equal(lines({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a/b' } }).length, 1);
  });
});
