import table from '../generated/protobuf.json' with { type: 'json' };

/** What a field holds; `message` for messages, whose own form may be special. */
export type ProtobufScalar = 'string' | 'bytes' | 'bool' | 'int32' | 'int64' | 'double';

export interface ProtobufField {
  /** JSON name. */
  readonly name: string;
  readonly number: number;
  readonly scalar: ProtobufScalar | undefined;
  /** Name of the message when `scalar` is undefined. */
  readonly message: string;
  readonly isRepeated: boolean;
  /** A map from strings; scalar and message are those of its values. */
  readonly isMap: boolean;
  /** Go holds it by value, so upstream writes it even when it is empty. */
  readonly isAlwaysWritten: boolean;
  /** The fields of the message stand among those of the object itself. */
  readonly isInline: boolean;
  /** How its values are written; lists of numbers may be packed (2) as well. */
  readonly wireType: 0 | 1 | 2;
}

export interface ProtobufMessage {
  readonly name: string;
  /** In order of number. */
  readonly fields: readonly ProtobufField[];
  /** Field numbers are small: an array with holes. */
  readonly byNumber: ReadonlyArray<ProtobufField | undefined>;
}

const entries: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> =
  table.messages;
const names = Object.keys(entries);
const known = new Map<string, ProtobufMessage>();

/** A message by its proto name, k8s.io.api.core.v1.Pod. Read on first use and then kept. */
export function messageOf(name: string): ProtobufMessage | undefined {
  const read = known.get(name);
  if (read !== undefined) return read;
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry === undefined) return undefined;
  const fields = Object.entries(entry).map(([field, code = '']) => readField(field, code));
  fields.sort((a, b) => a.number - b.number);
  const byNumber: Array<ProtobufField | undefined> = [];
  for (const field of fields) byNumber[field.number] = field;
  const message = { name, fields, byNumber };
  known.set(name, message);
  return message;
}

/** Codes: number, then [ for repeated or {key,value} for maps, a scalar or #n; & and ^ are flags. */
function readField(name: string, code: string): ProtobufField {
  const [number = '', rest = ''] = code.split(' ');
  const type = rest.replace(/[&^]+$/, '');
  const isMap = type.startsWith('{');
  const isRepeated = type.startsWith('[');
  const value = isMap ? type.slice(type.indexOf(',') + 1) : isRepeated ? type.slice(1) : type;
  const isMessage = value.startsWith('#');
  const scalar = isMessage ? undefined : (value as ProtobufScalar);
  return {
    name,
    number: Number(number),
    scalar,
    message: isMessage ? (names[Number(value.slice(1))] ?? '') : '',
    isRepeated,
    isMap,
    isAlwaysWritten: /&/.test(rest),
    isInline: /\^/.test(rest),
    wireType: isMap ? 2 : wireTypeOf(scalar),
  };
}

function wireTypeOf(scalar: ProtobufScalar | undefined): 0 | 1 | 2 {
  if (scalar === undefined || scalar === 'string' || scalar === 'bytes') return 2;
  return scalar === 'double' ? 1 : 0;
}

/** The proto name of an OpenAPI type: k8s.io.api.core.v1.Pod of io.k8s.api.core.v1.Pod. */
export function messageNameOf(typeName: string): string {
  return typeName.replace(/^io\.k8s\./, 'k8s.io.').replaceAll('-', '_');
}
