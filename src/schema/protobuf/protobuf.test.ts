import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '#base/random.ts';
import { seededRandom } from '#base/random.ts';
import { catalog } from '../catalog.ts';
import { groupVersion } from '../object.ts';
import type { FieldInfo, ScalarType, ValueInfo } from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import {
  decodeProtobuf,
  encodeProtobuf,
  encodeProtobufItem,
  encodeProtobufList,
  frameWatchEvent,
  isProtobuf,
  openProtobuf,
} from './mod.ts';

type Json = Record<string, unknown>;

/** Makes values of a type that survive a round trip: nothing empty, structs by value always there. */
class Generator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  struct(typeName: string, depth: number): Json {
    const value: Json = {};
    const fields = typeTable.type(typeName)?.fields ?? new Map<string, FieldInfo>();
    for (const field of fields.values()) {
      // the kind of an object inside an object is not written
      if (fields.has('metadata') && /^(kind|apiVersion)$/.test(field.name)) continue;
      if (isAlwaysThere(field) || (depth > 0 && this.#random.float() < 0.4)) {
        value[field.name] = this.#value(field, depth - 1);
      }
    }
    return value;
  }

  #value(value: ValueInfo, depth: number): unknown {
    if (value.kind === 'struct') return this.struct(value.typeName ?? '', depth);
    if (value.kind === 'untyped') return this.#untyped(value);
    if (value.kind === 'scalar') return this.#scalar(value.scalar ?? 'string');
    const count = 1 + this.#random.integer(3);
    const items = Array.from({ length: count }, () =>
      value.element === undefined ? '' : this.#value(value.element, depth),
    );
    if (value.kind === 'list') return items;
    return Object.fromEntries(items.map((item, index) => [`key-${index}`, item]));
  }

  #untyped({ untyped }: ValueInfo): unknown {
    if (untyped === 'schema-or-bool') return this.#random.float() < 0.5;
    if (untyped === 'schema-or-strings') return ['a', 'b'];
    if (untyped === 'schema-or-list') return { type: 'string' };
    return { any: [1, { thing: 'ü' }], flag: false };
  }

  #scalar(type: ScalarType): unknown {
    const number = 1 + this.#random.integer(2 ** 31 - 2);
    const sign = this.#random.float() < 0.2 ? -1 : 1;
    switch (type) {
      case 'int32':
      case 'int64':
        return sign * number;
      case 'double':
        return number / 7;
      case 'bool':
        return true;
      case 'byte':
        return this.#random.bytes(5).toString('base64');
      case 'time':
        return new Date(number * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z');
      case 'micro-time':
        return new Date(number * 1000).toISOString().replace(/\.\d{3}Z$/, '.001500Z');
      case 'duration':
        return '1m30s';
      case 'quantity':
        return `${number}m`;
      case 'int-or-string':
        return sign < 0 ? 'web' : number;
      case 'string':
        return `text-${number}-é`;
    }
  }
}

/** What comes back even when it was not given. */
function isAlwaysThere(field: FieldInfo): boolean {
  if (field.isPointer) return false;
  return field.kind === 'struct' || /^(quantity|int-or-string)$/.test(field.scalar ?? '');
}

test('objects of every kind come back as they were written', () => {
  for (const [index, info] of catalog.all.entries()) {
    const generator = new Generator(seededRandom(index + 1));
    for (let round = 0; round < 20; round++) {
      const header = { apiVersion: groupVersion(info), kind: info.kind };
      const object = { ...generator.struct(info.typeName, 6), ...header };
      const bytes = encodeProtobuf(object);
      assert.ok(bytes !== undefined && isProtobuf(bytes), info.kind);
      assert.deepEqual(decodeProtobuf(bytes), object, info.kind);
    }
  }
});

test('every field that Go holds by value is written, empty or not', () => {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } };
  const emptyStrings = [2, 3, 4, 5, 6].map((field) => [field * 8 + 2, 0]);
  const metadata = [0x0a, 1, 0x61, ...emptyStrings.flat(), 0x38, 0, 0x42, 0];
  const raw = [0x0a, metadata.length, ...metadata, 0x12, 0, 0x1a, 2, 0x0a, 0];
  const typeMeta = [0x0a, 2, ...Buffer.from('v1'), 0x12, 9, ...Buffer.from('Namespace')];
  const unknown = [0x0a, typeMeta.length, ...typeMeta, 0x12, raw.length, ...raw, 0x1a, 0, 0x22, 0];
  const expected = Buffer.from([...Buffer.from('k8s\0'), ...unknown]);
  assert.equal(encodeProtobuf(object)?.toString('hex'), expected.toString('hex'));
});

test('lists and kinds without a group have a form, custom resources have none', () => {
  const list = { apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '7' }, items: [] };
  const bytes = encodeProtobuf(list);
  assert.ok(bytes);
  assert.deepEqual(decodeProtobuf(bytes), {
    apiVersion: 'v1',
    kind: 'PodList',
    metadata: { resourceVersion: '7' },
  });
  const options = { apiVersion: 'apps/v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
  const encoded = encodeProtobuf(options);
  assert.ok(encoded);
  assert.deepEqual(decodeProtobuf(encoded), options);
  assert.equal(encodeProtobuf({ apiVersion: 'example.org/v1', kind: 'Crane' }), undefined);
});

test('values that are pointers in Go keep their zero', () => {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {},
    spec: { replicas: 0, paused: false, strategy: {}, template: { metadata: {} } },
    status: {},
  };
  const bytes = encodeProtobuf(object);
  assert.ok(bytes);
  const { spec } = decodeProtobuf(bytes) as { spec: Json };
  assert.equal(spec['replicas'], 0);
  assert.equal('paused' in spec, false);
});

test('fields that nobody knows are passed over', () => {
  const bytes = encodeProtobuf({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } });
  assert.ok(bytes);
  const extended = Buffer.concat([bytes, Buffer.from([0xf8, 0x07, 0x05])]);
  assert.equal((decodeProtobuf(extended)['metadata'] as Json)['name'], 'a');
});

test('a watch frame says how long it is', () => {
  const object = Buffer.from('k8s\0abc', 'latin1');
  const frame = frameWatchEvent('ADDED', object);
  assert.equal(frame.readUInt32BE(0), frame.length - 4);
  const event = [0x0a, 5, ...Buffer.from('ADDED'), 0x12, 9, 0x0a, 7, ...object];
  assert.deepEqual(frame.subarray(4), Buffer.from(event));
});

test('what is no protobuf is refused', () => {
  assert.throws(() => decodeProtobuf(Buffer.from('{}')), { code: 'Protobuf' });
  assert.throws(() => decodeProtobuf(Buffer.from('6b38730012ff', 'hex')), { code: 'Protobuf' });
});

test('a list written item by item has the bytes of the list as a whole', () => {
  const items = ['a', 'b'].map((name) => ({
    metadata: { name, labels: { name } },
    data: { key: 'x'.repeat(200) },
  }));
  const list = {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7', continue: 'more', remainingItemCount: 3 },
  };
  const parts = items.map((item) =>
    encodeProtobufItem({ kind: 'ConfigMap', apiVersion: 'v1', ...item }),
  );
  const written = parts.map((part) => part ?? Buffer.alloc(0));
  const sizeBytes = written.reduce((sum, { length }) => sum + length, 0);
  const frame = encodeProtobufList(list, sizeBytes);
  assert.ok(frame !== undefined);
  assert.deepEqual(
    Buffer.concat([frame.head, ...written, frame.tail]),
    encodeProtobuf({ ...list, items }),
  );
  assert.equal(
    encodeProtobufList({ ...list, kind: 'WidgetList', apiVersion: 'x.y/v1' }, 0),
    undefined,
  );
});

test('bytes that cannot be read are told in the words of upstream’s decoder', () => {
  const type = Buffer.from('\n\x0f\n\x02v1\x12\x09ConfigMap');
  const envelope = (raw: string): Buffer => {
    const bytes = Buffer.from(raw, 'hex');
    return Buffer.concat([Buffer.from('k8s\0'), type, Buffer.from([0x12, bytes.length]), bytes]);
  };
  const wanted = { apiVersion: 'v1', kind: 'ConfigMap' };
  const problems: ReadonlyArray<readonly [raw: string, problem: string]> = [
    ['0aff', 'unexpected EOF'],
    ['ffffffffffffffffffffff', 'proto: integer overflow'],
    ['08', 'proto: wrong wireType = 0 for field ObjectMeta'],
    ['0c', 'proto: ConfigMap: wiretype end group for non-group'],
    ['0001', 'proto: ConfigMap: illegal tag 0 (wire type 0)'],
    ['7e', 'proto: illegal wireType 6'],
  ];
  for (const [raw, message] of problems) {
    const opened = openProtobuf(envelope(raw), wanted);
    assert.throws(() => opened.decode(), { code: 'Protobuf', message });
  }
  const unopened: ReadonlyArray<readonly [bytes: string, problem: string]> = [
    ['', 'empty data'],
    [
      '{}',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    ],
    ['k8s\0', 'empty body'],
    ['k8s\0\x12\x05', 'unexpected EOF'],
  ];
  for (const [bytes, message] of unopened) {
    assert.throws(() => openProtobuf(Buffer.from(bytes), wanted), { code: 'Protobuf', message });
  }
});

test('an envelope without a type is that of the kind that is wanted', () => {
  const bytes = Buffer.from('6b38730012020a00', 'hex');
  const opened = openProtobuf(bytes, { apiVersion: 'v1', kind: 'ConfigMap' });
  assert.deepEqual(opened.decode(), { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} });
});
