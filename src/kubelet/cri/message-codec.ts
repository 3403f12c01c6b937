import { ByteReader, ByteWriter } from './wire.ts';

type FieldKind = 'scalar' | 'enum' | 'message' | 'map';

interface Field {
  readonly number: number;
  /** Property name: lower camel case of the proto name. */
  readonly property: string;
  readonly type: string;
  readonly kind: FieldKind;
  readonly isRepeated: boolean;
}

interface MessageType {
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
}

type Message = Record<string, unknown>;

const scalarTypes = new Set([
  'string',
  'bytes',
  'bool',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'double',
]);

/** The messages of a gRPC API: fields by message as `number name type`, and numbers of enums. */
export interface MessageTables {
  /** `[]` repeated, `{}` a string map, `#` an enum; `, ` between fields. */
  readonly messageFields: Readonly<Record<string, string>>;
  readonly enumValues: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Translates between plain objects (lower camel case) and proto3 bytes. */
export interface MessageCodec {
  /** Absent properties and proto3 defaults are left out. */
  encode(typeName: string, value: object): Buffer;
  /**
   * A message with every property set: proto3 defaults, empty lists and maps; absent messages stay
   * undefined. 64-bit integers become numbers, exact up to 2^53 (times in nanoseconds lose 256 ns).
   * Bytes are views into `buffer`. Unknown fields and enum numbers of newer peers are tolerated.
   */
  decode<T extends object>(typeName: string, buffer: Buffer): T;
}

function camelCase(name: string): string {
  if (name === 'CDI_devices') return 'cdiDevices';
  const joined = name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

function parseField(text: string): Field {
  const [number = '', name = '', written = ''] = text.split(' ');
  const isRepeated = written.endsWith('[]');
  const isMap = written.endsWith('{}');
  const bare = isRepeated || isMap ? written.slice(0, -2) : written;
  const isEnum = bare.startsWith('#');
  const type = isEnum ? bare.slice(1) : bare;
  let kind: FieldKind = scalarTypes.has(type) ? 'scalar' : 'message';
  if (isEnum) kind = 'enum';
  if (isMap) kind = 'map';
  return { number: Number(number), property: camelCase(name), type, kind, isRepeated };
}

/** What is known of the messages of one API; parsed on first use, as most are never seen. */
class MessageSchema {
  readonly #tables: MessageTables;
  readonly #types = new Map<string, MessageType>();
  readonly #names = new Map<string, ReadonlyMap<number, string>>();

  constructor(tables: MessageTables) {
    this.#tables = tables;
  }

  type(name: string): MessageType {
    let type = this.#types.get(name);
    if (type === undefined) {
      const text = this.#tables.messageFields[name];
      if (text === undefined) throw new TypeError(`no message "${name}"`);
      const fields = text === '' ? [] : text.split(', ').map(parseField);
      type = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
      this.#types.set(name, type);
    }
    return type;
  }

  enumName(type: string, value: number): string {
    let names = this.#names.get(type);
    if (names === undefined) {
      const values = Object.entries(this.#tables.enumValues[type] ?? {});
      names = new Map(values.map(([name, number]) => [number, name]));
      this.#names.set(type, names);
    }
    return names.get(value) ?? String(value);
  }

  enumNumber(type: string, name: string): number {
    return this.#tables.enumValues[type]?.[name] ?? 0;
  }
}

/** A codec for the messages of one API. */
export function createMessageCodec(tables: MessageTables): MessageCodec {
  const schema = new MessageSchema(tables);
  return {
    encode(typeName, value) {
      const writer = new ByteWriter();
      writeMessage(schema, writer, typeName, value as Message);
      return writer.finish();
    },
    decode: <T extends object>(typeName: string, buffer: Buffer) =>
      readMessage(schema, new ByteReader(buffer), typeName, buffer.length) as T,
  };
}

function writeMessage(
  schema: MessageSchema,
  writer: ByteWriter,
  typeName: string,
  value: Message,
): void {
  for (const field of schema.type(typeName).fields) {
    const content = value[field.property];
    if (content === undefined || content === null) continue;
    if (field.kind === 'map') writeMap(writer, field, content as Record<string, string>);
    else if (field.isRepeated) writeRepeated(schema, writer, field, content as unknown[]);
    else if (field.kind === 'message') writeNested(schema, writer, field, content as Message);
    else if (!isDefault(content) || typeName.endsWith('Value')) {
      writeScalar(schema, writer, field, content, true);
    }
  }
}

function isDefault(value: unknown): boolean {
  return value === '' || value === 0 || value === false;
}

function writeNested(
  schema: MessageSchema,
  writer: ByteWriter,
  field: Field,
  value: Message,
): void {
  writer.tag(field.number, 2);
  writer.delimited(() => writeMessage(schema, writer, field.type, value));
}

function writeMap(writer: ByteWriter, field: Field, entries: Record<string, string>): void {
  for (const [key, value] of Object.entries(entries)) {
    writer.tag(field.number, 2);
    writer.delimited(() => {
      writer.tag(1, 2);
      writer.string(key);
      writer.tag(2, 2);
      writer.string(value);
    });
  }
}

function writeRepeated(
  schema: MessageSchema,
  writer: ByteWriter,
  field: Field,
  values: unknown[],
): void {
  if (values.length === 0) return;
  if (field.kind === 'message') {
    for (const value of values) writeNested(schema, writer, field, value as Message);
  } else if (field.type === 'string' || field.type === 'bytes') {
    for (const value of values) writeScalar(schema, writer, field, value, true);
  } else {
    writer.tag(field.number, 2);
    writer.delimited(() => {
      for (const value of values) writeScalar(schema, writer, field, value, false);
    });
  }
}

function writeScalar(
  schema: MessageSchema,
  writer: ByteWriter,
  field: Field,
  value: unknown,
  isTagged: boolean,
): void {
  const tag = (wireType: number): void => {
    if (isTagged) writer.tag(field.number, wireType);
  };
  if (field.kind === 'enum') {
    tag(0);
    writer.varint(schema.enumNumber(field.type, value as string));
  } else if (field.type === 'string') {
    tag(2);
    writer.string(value as string);
  } else if (field.type === 'bytes') {
    tag(2);
    writer.bytes(value as Buffer);
  } else if (field.type === 'double') {
    tag(1);
    writer.double(value as number);
  } else {
    tag(0);
    writer.varint(Number(value));
  }
}

function emptyMessage(schema: MessageSchema, type: MessageType): Message {
  const message: Message = {};
  for (const field of type.fields) {
    if (field.isRepeated) message[field.property] = [];
    else if (field.kind === 'map') message[field.property] = {};
    else if (field.kind === 'enum') message[field.property] = schema.enumName(field.type, 0);
    else if (field.kind === 'scalar') message[field.property] = scalarDefault(field.type);
  }
  return message;
}

function scalarDefault(type: string): unknown {
  if (type === 'string') return '';
  if (type === 'bytes') return Buffer.alloc(0);
  return type === 'bool' ? false : 0;
}

function readMessage(
  schema: MessageSchema,
  reader: ByteReader,
  typeName: string,
  end: number,
): Message {
  const type = schema.type(typeName);
  const message = emptyMessage(schema, type);
  while (reader.offset < end) {
    const tag = reader.varint();
    const field = type.byNumber.get(Math.floor(tag / 8));
    const wireType = tag % 8;
    if (field === undefined) reader.skip(wireType);
    else readField(schema, reader, field, wireType, message);
  }
  return message;
}

function readField(
  schema: MessageSchema,
  reader: ByteReader,
  field: Field,
  wireType: number,
  message: Message,
): void {
  const { property } = field;
  if (field.kind === 'map') {
    const [key, value] = readMapEntry(reader);
    (message[property] as Record<string, string>)[key] = value;
  } else if (field.kind === 'message') {
    const value = readMessage(schema, reader, field.type, reader.delimitedEnd());
    if (field.isRepeated) (message[property] as unknown[]).push(value);
    else message[property] = value;
  } else if (field.isRepeated) {
    const list = message[property] as unknown[];
    const isPacked = wireType === 2 && field.type !== 'string' && field.type !== 'bytes';
    if (!isPacked) {
      list.push(readScalar(schema, reader, field));
      return;
    }
    const end = reader.delimitedEnd();
    while (reader.offset < end) list.push(readScalar(schema, reader, field));
  } else {
    message[property] = readScalar(schema, reader, field);
  }
}

function readMapEntry(reader: ByteReader): [string, string] {
  const end = reader.delimitedEnd();
  let key = '';
  let value = '';
  while (reader.offset < end) {
    const tag = reader.varint();
    if (tag === 10) key = reader.string();
    else if (tag === 18) value = reader.string();
    else reader.skip(tag % 8);
  }
  return [key, value];
}

function readScalar(schema: MessageSchema, reader: ByteReader, field: Field): unknown {
  if (field.kind === 'enum') return schema.enumName(field.type, reader.varint());
  switch (field.type) {
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.bytes();
    case 'bool':
      return reader.varint() !== 0;
    case 'double':
      return reader.double();
    case 'uint64':
    case 'uint32':
      return reader.varint();
    default:
      return reader.signedVarint();
  }
}
