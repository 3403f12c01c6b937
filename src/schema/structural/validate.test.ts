import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { rootPath, statusPath } from '../validation/field-path.ts';
import { validateListTypes } from './list-types.ts';
import type { RawSchema } from './structural.ts';
import { parseStructural } from './structural.ts';
import { validateSchema } from './validate.ts';

/** Lines of the errors of a value of the field `f`. */
function errorsOf(f: unknown, schema: RawSchema, old?: unknown): string[] {
  const root = parseStructural({ type: 'object', properties: { f: schema } });
  const before = old === undefined ? undefined : { f: old };
  const errors = validateSchema({ f }, root, rootPath, before);
  return errors.map((error) => `${error.type} ${error.field}: ${error.message}`);
}

const cases: ReadonlyArray<readonly [value: unknown, schema: RawSchema, ...lines: string[]]> = [
  ['a', { type: 'string' }],
  [1, { type: 'number' }],
  [1, { 'x-kubernetes-int-or-string': true }],
  [null, { type: 'string', nullable: true }],
  [
    'a',
    { type: 'integer' },
    'FieldValueTypeInvalid f: Invalid value: "string": f in body must be of type integer: "string"',
  ],
  [
    null,
    { type: 'string' },
    'FieldValueTypeInvalid f: Invalid value: "null": f in body must be of type string: "null"',
  ],
  [
    true,
    { 'x-kubernetes-int-or-string': true },
    'FieldValueTypeInvalid f: Invalid value: "boolean": f in body must be of type integer,string: "boolean"',
  ],
  [
    1.5,
    { type: 'integer' },
    'FieldValueTypeInvalid f: Invalid value: "number": f in body must be of type integer: "number"',
  ],
  [
    'c',
    { type: 'string', enum: ['a', 'b'] },
    'FieldValueNotSupported f: Unsupported value: "c": supported values: "a", "b"',
  ],
  [
    'abcd',
    { type: 'string', maxLength: 3 },
    'FieldValueTooLong f: Too long: may not be more than 3 bytes',
  ],
  [
    '',
    { type: 'string', minLength: 1 },
    'FieldValueInvalid f: Invalid value: "": f in body should be at least 1 chars long',
  ],
  [
    'B',
    { type: 'string', pattern: '^[a-z]+$' },
    `FieldValueInvalid f: Invalid value: "B": f in body should match '^[a-z]+$'`,
  ],
  [
    11,
    { type: 'integer', maximum: 10 },
    'FieldValueInvalid f: Invalid value: 11: f in body should be less than or equal to 10',
  ],
  [
    10,
    { type: 'integer', maximum: 10, exclusiveMaximum: true },
    'FieldValueInvalid f: Invalid value: 10: f in body should be less than 10',
  ],
  [
    0,
    { type: 'integer', minimum: 1 },
    'FieldValueInvalid f: Invalid value: 0: f in body should be greater than or equal to 1',
  ],
  [
    2000001,
    { type: 'integer', maximum: 2000000 },
    'FieldValueInvalid f: Invalid value: 2000001: f in body should be less than or equal to 2e+06',
  ],
  [
    5,
    { type: 'integer', multipleOf: 2 },
    'FieldValueInvalid f: Invalid value: 5: f in body should be a multiple of 2',
  ],
  [
    2 ** 31,
    { type: 'integer', format: 'int32' },
    'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int32 in f',
  ],
  [
    [],
    { type: 'array', items: { type: 'string' }, minItems: 1 },
    'FieldValueInvalid f: Invalid value: 0: f in body should have at least 1 items',
  ],
  [
    ['a', 1],
    { type: 'array', items: { type: 'string' }, maxItems: 1 },
    'FieldValueTypeInvalid f[1]: Invalid value: "integer": f[1] in body must be of type string: "integer"',
    'FieldValueTooMany f: Too many: 2: must have at most 1 items',
  ],
  [
    { a: {} },
    { type: 'object', additionalProperties: { type: 'object', required: ['x'] } },
    'FieldValueRequired f.a.x: Required value',
  ],
  [
    { a: 1, b: 2 },
    { type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 1 },
    'FieldValueTooMany f: Too many: 2: must have at most 1 items',
  ],
  [
    'nope',
    { type: 'string', format: 'ipv4' },
    'FieldValueTypeInvalid f: Invalid value: "nope": f in body must be of type ipv4: "nope"',
  ],
  ['anything', { type: 'string', format: 'no-such-format' }],
  [
    'a',
    { type: 'string', anyOf: [{ minLength: 2 }, { pattern: '^b' }] },
    'FieldValueInvalid <nil>: Invalid value: "": "f" must validate at least one schema (anyOf)',
    'FieldValueInvalid f: Invalid value: "a": f in body should be at least 2 chars long',
  ],
  [
    'bb',
    { type: 'string', oneOf: [{ minLength: 2 }, { pattern: '^b' }] },
    'FieldValueInvalid <nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    'a',
    { type: 'string', allOf: [{ minLength: 2 }] },
    'FieldValueInvalid f: Invalid value: "a": f in body should be at least 2 chars long',
    'FieldValueInvalid <nil>: Invalid value: "": "f" must validate all the schemas (allOf). None validated',
  ],
  [
    'a',
    { type: 'string', not: { enum: ['a'] } },
    'FieldValueInvalid <nil>: Invalid value: "": "f" must not validate the schema (not)',
  ],
];

describe('values of a schema', () => {
  for (const [value, schema, ...lines] of cases) {
    it(`${JSON.stringify(value)} by ${JSON.stringify(schema)}`, () => {
      assert.deepEqual(errorsOf(value, schema), lines);
    });
  }

  it('are told relative to the status when only that is checked', () => {
    const status = parseStructural({ type: 'object', properties: { n: { type: 'integer' } } });
    const [error] = validateSchema({ n: 'x' }, status, statusPath);
    assert.equal(error?.field, 'status.n');
    assert.equal(
      error.message,
      'Invalid value: "string": n in body must be of type integer: "string"',
    );
  });

  it('take time linear in a text whatever the pattern', () => {
    const schema = { type: 'string', pattern: '^(a+)+$' };
    assert.equal(errorsOf(`${'a'.repeat(5000)}b`, schema).length, 1);
  });
});

describe('ratcheting', () => {
  const small = { type: 'integer', maximum: 3 };

  it('leaves errors out at places that did not change', () => {
    const schema = { type: 'object', properties: { a: small, b: small } };
    assert.deepEqual(errorsOf({ a: 5, b: 1 }, schema, { a: 5 }), []);
    assert.equal(errorsOf({ a: 5, b: 4 }, schema, { a: 5 }).length, 1);
  });

  it('knows items of keyed lists again wherever they stand', () => {
    const items = { type: 'object', properties: { k: { type: 'string' }, n: small } };
    const keyed = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items,
    };
    const old = [{ k: 'a', n: 9 }];
    const now = [
      { k: 'b', n: 1 },
      { k: 'a', n: 9 },
    ];
    assert.deepEqual(errorsOf(now, keyed, old), []);
    assert.equal(errorsOf(now, { type: 'array', items }, old).length, 1);
  });

  it('takes a keyed list in another order for the same, and one with unknown fields never', () => {
    const items = { type: 'object', properties: { k: { type: 'string' } } };
    const keyed = {
      type: 'array',
      maxItems: 1,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items,
    };
    const old = [{ k: 'a' }, { k: 'b' }];
    assert.deepEqual(errorsOf(old.toReversed(), keyed, old), []);
    assert.equal(errorsOf([{ k: 'a' }, { k: 'c' }], keyed, old).length, 1);
    const open = {
      type: 'object',
      required: ['n'],
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { k: { type: 'string' } },
    };
    const list = { type: 'object', properties: { o: open } };
    assert.deepEqual(errorsOf({ o: { k: 'a' } }, list, { o: { k: 'a' } }), []);
    assert.equal(errorsOf({ o: { u: 1 } }, list, { o: { u: 1 } }).length, 1);
  });
});

describe('list types', () => {
  const errors = (list: unknown, schema: RawSchema): string[] =>
    validateListTypes(
      { l: list },
      parseStructural({ type: 'object', properties: { l: { type: 'array', ...schema } } }),
    ).map(({ field, message }) => `${field}: ${message}`);

  it('a set has each value once', () => {
    const set = { 'x-kubernetes-list-type': 'set', items: { type: 'string' } };
    assert.deepEqual(errors(['a', 'b', 'a', 'a'], set), ['l[2]: Duplicate value: "a"']);
  });

  it('a map has each combination of keys once, defaults counted', () => {
    const map = {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: {
        type: 'object',
        properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } },
      },
    };
    assert.deepEqual(errors([{ port: 1 }, { port: 1, protocol: 'UDP' }], map), []);
    assert.deepEqual(errors([{ port: 1 }, { port: 1, protocol: 'TCP' }], map), [
      'l[1]: Duplicate value: {"port":1,"protocol":"TCP"}',
    ]);
  });
});
