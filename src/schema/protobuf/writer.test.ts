import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, double, integer, maxSafeNat, property, string } from 'fast-check';
import { ProtobufReader } from './reader.ts';
import { ReverseWriter } from './writer.ts';

test('integers, doubles and texts come back as they were written', () => {
  const numbers = property(
    maxSafeNat(),
    integer(),
    double(),
    string(),
    (size, some, real, text) => {
      const writer = new ReverseWriter();
      writer.stringField(3, text);
      writer.double(real);
      writer.signed(some);
      writer.varint(size);
      const reader = new ProtobufReader(writer.finish());
      assert.equal(reader.varint(), size);
      assert.equal(reader.signed(), some);
      assert.equal(reader.double(), real);
      assert.equal(reader.varint(), 3 * 8 + 2);
      assert.equal(reader.string(), Buffer.from(text).toString());
      assert.equal(reader.isDone, true);
    },
  );
  check(numbers, { numRuns: 200 });
});

test('messages that outgrow the first buffer stay whole', () => {
  const writer = new ReverseWriter();
  const long = 'x'.repeat(5000);
  writer.messageField(1, () => {
    writer.stringField(2, long);
    for (let i = 0; i < 3000; i++) writer.boolField(1, true);
  });
  const reader = new ProtobufReader(writer.finish());
  assert.equal(reader.varint(), 10);
  const inner = reader.message();
  for (let i = 0; i < 3000; i++) {
    assert.equal(inner.varint(), 8);
    assert.equal(inner.varint(), 1);
  }
  assert.equal(inner.varint(), 18);
  assert.equal(inner.string(), long);
  assert.equal(inner.isDone && reader.isDone, true);
});

test('text that ends too early is refused', () => {
  const bytes = Buffer.from([0x12, 0x05, 0x61]);
  const reader = new ProtobufReader(bytes);
  reader.varint();
  assert.throws(() => reader.string(), { code: 'Protobuf' });
});
