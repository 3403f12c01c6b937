import { K3tsError } from '#base/errors.ts';
import type { ProtobufField, ProtobufMessage, ProtobufScalar } from './messages.ts';
import { messageOf } from './messages.ts';
import { ProtobufReader } from './reader.ts';
import type { NestedCodec } from './special-forms.ts';
import { specialForms } from './special-forms.ts';
import type { ReverseWriter } from './writer.ts';

type Json = Record<string, unknown>;

function requireMessage(name: string): ProtobufMessage {
  const message = messageOf(name);
  if (message === undefined) throw new K3tsError('Protobuf', `no protobuf message "${name}"`);
  return message;
}

/** Reads and writes messages as the JSON that upstream makes of them. `decodeEmbedded` as in NestedCodec. */
export function createMessageCodec(decodeEmbedded: (bytes: Buffer) => unknown): NestedCodec {
  const codec: NestedCodec = {
    decodeEmbedded,
    decode(name, reader) {
      const special = specialForms.get(name);
      if (special !== undefined) return special.decode(reader, codec);
      const into: Json = {};
      decodeFields(requireMessage(name), reader, into, codec);
      return into;
    },
    encode(name, value, writer) {
      const special = specialForms.get(name);
      if (special !== undefined) special.encode(value, writer, codec);
      else encodeFields(requireMessage(name), (value ?? {}) as Json, writer, codec);
    },
  };
  return codec;
}

function decodeFields(
  message: ProtobufMessage,
  reader: ProtobufReader,
  into: Json,
  codec: NestedCodec,
): void {
  while (!reader.isDone) {
    const tag = reader.varint();
    const wireType = tag % 8;
    const field = message.byNumber[Math.floor(tag / 8)];
    if (field === undefined || wireType === 4) {
      skipField(message.name, tag, reader);
    } else if (wireType !== field.wireType && !(field.isRepeated && wireType === 2)) {
      throw wrongWireType(field, wireType);
    } else if (field.isInline) {
      decodeFields(requireMessage(field.message), reader.message(), into, codec);
    } else {
      decodeField(field, wireType, reader, into, codec);
    }
  }
}

/** Passes over a field that the message does not have; some tags no field can have. */
export function skipField(message: string, tag: number, reader: ProtobufReader): void {
  const wireType = tag % 8;
  const name = message.slice(message.lastIndexOf('.') + 1);
  if (wireType === 4) {
    throw new K3tsError('Protobuf', `proto: ${name}: wiretype end group for non-group`);
  }
  // Go keeps field numbers in 32 bits
  const number = Math.floor(tag / 8) | 0;
  if (number <= 0) {
    throw new K3tsError(
      'Protobuf',
      `proto: ${name}: illegal tag ${number} (wire type ${Math.floor(tag)})`,
    );
  }
  reader.skip(wireType);
}

function wrongWireType(field: ProtobufField, wireType: number): K3tsError {
  const name =
    goFieldNames[field.name] ?? field.name.slice(0, 1).toUpperCase() + field.name.slice(1);
  return new K3tsError('Protobuf', `proto: wrong wireType = ${wireType} for field ${name}`);
}

/** Fields whose name in Go is not that in JSON with a capital. */
const goFieldNames: Readonly<Record<string, string>> = {
  metadata: 'ObjectMeta',
  uid: 'UID',
  apiVersion: 'APIVersion',
};

function decodeField(
  field: ProtobufField,
  wireType: number,
  reader: ProtobufReader,
  into: Json,
  codec: NestedCodec,
): void {
  if (field.isMap) {
    const map = (into[field.name] ??= {}) as Json;
    decodeMapEntry(field, reader.message(), map, codec);
    return;
  }
  if (field.isRepeated) {
    const list = (into[field.name] ??= []) as unknown[];
    if (wireType !== 2 || !isNumber(field.scalar)) {
      list.push(decodeValue(field, reader, codec) ?? null);
      return;
    }
    // packed, which upstream does not write but must be read
    const packed = reader.message();
    while (!packed.isDone) list.push(decodeValue(field, packed, codec));
    return;
  }
  const value = decodeValue(field, reader, codec);
  const isZero = value === '' || value === 0 || value === false;
  if (value === undefined || (isZero && field.isAlwaysWritten && field.scalar !== undefined))
    return;
  into[field.name] = value;
}

function isNumber(scalar: ProtobufScalar | undefined): boolean {
  return scalar !== undefined && scalar !== 'string' && scalar !== 'bytes';
}

function decodeMapEntry(
  field: ProtobufField,
  reader: ProtobufReader,
  map: Json,
  codec: NestedCodec,
): void {
  let key = '';
  let value: unknown;
  while (!reader.isDone) {
    const tag = reader.varint();
    if (tag === 10) key = reader.string();
    else value = decodeValue(field, reader, codec);
  }
  map[key] = value ?? emptyValue(field, codec);
}

/** The value of a map entry that carries none. */
function emptyValue(field: ProtobufField, codec: NestedCodec): unknown {
  return field.scalar === undefined
    ? codec.decode(field.message, new ProtobufReader(Buffer.alloc(0)))
    : '';
}

function decodeValue(field: ProtobufField, reader: ProtobufReader, codec: NestedCodec): unknown {
  switch (field.scalar) {
    case undefined:
      return codec.decode(field.message, reader.message());
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.bytes().toString('base64');
    case 'bool':
      return reader.varint() !== 0;
    case 'int32':
    case 'int64':
      return reader.signed();
    case 'double':
      return reader.double();
  }
}

const zeros: Readonly<Record<ProtobufScalar, unknown>> = {
  string: '',
  bytes: '',
  bool: false,
  int32: 0,
  int64: 0,
  double: 0,
};

function encodeFields(
  message: ProtobufMessage,
  value: Json,
  writer: ReverseWriter,
  codec: NestedCodec,
): void {
  const { fields } = message;
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i];
    if (field === undefined) continue;
    if (field.isInline) {
      const inner = requireMessage(field.message);
      writer.messageField(field.number, () => encodeFields(inner, value, writer, codec));
    } else {
      encodeField(field, value[field.name], writer, codec);
    }
  }
}

function encodeField(
  field: ProtobufField,
  value: unknown,
  writer: ReverseWriter,
  codec: NestedCodec,
): void {
  if (field.isMap) {
    encodeMap(field, value, writer, codec);
    return;
  }
  if (field.isRepeated) {
    if (!Array.isArray(value)) return;
    for (let i = value.length - 1; i >= 0; i--) {
      encodeValue(field, field.number, value[i], writer, codec);
    }
    return;
  }
  if (value !== undefined && value !== null) {
    encodeValue(field, field.number, value, writer, codec);
  } else if (field.isAlwaysWritten) {
    const zero = field.scalar === undefined ? undefined : zeros[field.scalar];
    encodeValue(field, field.number, zero, writer, codec);
  }
}

function encodeMap(
  field: ProtobufField,
  value: unknown,
  writer: ReverseWriter,
  codec: NestedCodec,
): void {
  if (typeof value !== 'object' || value === null) return;
  const map = value as Json;
  for (const key of Object.keys(map).sort().reverse()) {
    writer.messageField(field.number, () => {
      encodeValue(field, 2, map[key], writer, codec);
      writer.stringField(1, key);
    });
  }
}

/** A conformed string field holds nothing but a string. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function encodeValue(
  field: ProtobufField,
  number: number,
  value: unknown,
  writer: ReverseWriter,
  codec: NestedCodec,
): void {
  switch (field.scalar) {
    case undefined:
      writer.messageField(number, () => codec.encode(field.message, value, writer));
      return;
    case 'string':
      writer.stringField(number, textOf(value));
      return;
    case 'bytes':
      writer.bytesField(number, Buffer.from(textOf(value), 'base64'));
      return;
    case 'bool':
      writer.boolField(number, value === true);
      return;
    case 'int32':
    case 'int64':
      writer.signed(Number(value));
      writer.tag(number, 0);
      return;
    case 'double':
      writer.double(Number(value));
      writer.tag(number, 1);
  }
}
