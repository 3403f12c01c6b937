/** Every field of every kind, through each form that an object may be sent and stored in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { catalog } from './catalog.ts';
import { decodeBody } from './decode/decode-body.ts';
import { groupVersion } from './object.ts';
import { decodeProtobuf, encodeProtobuf } from './protobuf/mod.ts';
import type { ScalarType, ValueInfo } from './type-table/field-info.ts';
import { typeTable } from './type-table/type-table.ts';

type Json = Record<string, unknown>;

const scalars: Readonly<Record<ScalarType, unknown>> = {
  string: 'tëxt: yes',
  int32: 2147483647,
  int64: 9007199254740991,
  double: 1.5,
  bool: true,
  byte: 'AAEC/w==',
  time: '2026-01-02T03:04:05Z',
  'micro-time': '2026-01-02T03:04:05.678901Z',
  duration: '1m30s',
  quantity: '1500m',
  'int-or-string': '25%',
};

/** A value with all its fields; a type inside itself is left out the second time. */
function filled(info: ValueInfo, path: readonly string[]): unknown {
  switch (info.kind) {
    case 'scalar':
      return scalars[info.scalar ?? 'string'];
    case 'struct':
      return filledStruct(info.typeName ?? '', path);
    case 'list': {
      const item = info.element === undefined ? 'a' : filled(info.element, path);
      return item === undefined ? undefined : [item, item];
    }
    case 'map': {
      const item = info.element === undefined ? 'a' : filled(info.element, path);
      return item === undefined ? undefined : { 'a.b/c': item, yes: item };
    }
    case 'untyped':
      if (info.untyped === 'schema-or-bool') return true;
      if (info.untyped === 'schema-or-strings') return ['a', 'b'];
      if (info.untyped === 'schema-or-list') return { type: 'string' };
      return { any: [1, { thing: 'ü' }], flag: false };
  }
}

function filledStruct(typeName: string, path: readonly string[]): Json | undefined {
  const type = typeTable.type(typeName);
  if (type === undefined || path.includes(typeName)) return undefined;
  const value: Json = {};
  for (const field of type.fields.values()) {
    // the kind of an object inside an object has no place in protobuf
    if (type.fields.has('metadata') && /^(kind|apiVersion)$/.test(field.name)) continue;
    const inside = filled(field, [...path, typeName]);
    if (inside !== undefined) value[field.name] = inside;
  }
  return value;
}

function countLeaves(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, item) => sum + countLeaves(item), 0);
}

for (const info of catalog.all) {
  const apiVersion = groupVersion(info);
  test(`${apiVersion} ${info.kind} as JSON, YAML and protobuf`, () => {
    const object: Json = { kind: info.kind, apiVersion, ...filledStruct(info.typeName, []) };
    assert.ok(countLeaves(object) > 3);
    const { typeName } = info;
    const read = (mediaType: 'json' | 'yaml', text: string): Json =>
      decodeBody<Json>({ body: Buffer.from(text), mediaType, typeName, mode: 'Strict' }).object;
    const fromJson = read('json', JSON.stringify(object));
    assert.deepEqual(fromJson, object);
    assert.deepEqual(read('yaml', stringify(object, { version: '1.1' })), object);
    const bytes = encodeProtobuf(fromJson);
    assert.ok(bytes);
    assert.deepEqual(decodeProtobuf(bytes), object);
    assert.deepEqual(encodeProtobuf(decodeProtobuf(bytes)), bytes);
  });
}
