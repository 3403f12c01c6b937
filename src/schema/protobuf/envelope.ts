import { K3tsError } from '#base/errors.ts';
import { parseGroupVersion } from '../object.ts';
import { catalog } from '../catalog.ts';
import { createMessageCodec, skipField } from './codec.ts';
import { messageNameOf, messageOf } from './messages.ts';
import { ProtobufReader } from './reader.ts';
import type { NestedCodec } from './special-forms.ts';
import { ReverseWriter } from './writer.ts';

/** Media type of objects; watches add `;stream=watch`. */
export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

/** `k8s` and a zero byte start every object. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

const metaPackage = 'k8s.io.apimachinery.pkg.apis.meta.v1';

interface TypeMeta {
  apiVersion: string;
  kind: string;
}

/** Whether bytes are an object in protobuf, by their first four. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && magic.equals(bytes.subarray(0, 4));
}

/** Packages by group version, from the types of the served resources. */
const packages = new Map<string, string>();
for (const { group, version, typeName } of catalog.all) {
  packages.set(`${group}/${version}`, typeName.slice(0, typeName.lastIndexOf('.')));
}

/**
 * The proto name of a kind, or undefined when it has none (custom resources, tables). Kinds that
 * belong to no group, as Status and DeleteOptions, go with any.
 */
export function messageNameOfKind({ apiVersion, kind }: TypeMeta): string | undefined {
  const { group, version } = parseGroupVersion(apiVersion);
  const of = packages.get(`${group}/${version}`);
  const own = of === undefined ? undefined : messageNameOf(`${of}.${kind}`);
  if (own !== undefined && messageOf(own) !== undefined) return own;
  const meta = `${metaPackage}.${kind}`;
  const isMeta = group === 'meta.k8s.io' || group === '' || kind === 'DeleteOptions';
  return isMeta && messageOf(meta) !== undefined ? meta : undefined;
}

const codec: NestedCodec = createMessageCodec((bytes) =>
  isProtobuf(bytes) ? decodeProtobuf(bytes) : (JSON.parse(bytes.toString('utf8')) as unknown),
);

interface Envelope extends TypeMeta {
  raw: Buffer;
  contentType: string;
}

function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length === 0) throw new K3tsError('Protobuf', 'empty data');
  if (!isProtobuf(bytes)) {
    throw new K3tsError(
      'Protobuf',
      `provided data does not appear to be a protobuf message, expected prefix [${magic.join(' ')}]`,
    );
  }
  if (bytes.length === magic.length) throw new K3tsError('Protobuf', 'empty body');
  const envelope: Envelope = { apiVersion: '', kind: '', raw: Buffer.alloc(0), contentType: '' };
  const reader = new ProtobufReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 4);
  while (!reader.isDone) {
    const tag = reader.varint();
    const field = Math.floor(tag / 8);
    if (field === 1) {
      const typeMeta = reader.message();
      while (!typeMeta.isDone) {
        const name = typeMeta.varint();
        if (name === 10) envelope.apiVersion = typeMeta.string();
        else if (name === 18) envelope.kind = typeMeta.string();
        else skipField('TypeMeta', name, typeMeta);
      }
    } else if (field === 2) {
      envelope.raw = reader.bytes();
    } else if (field === 4) {
      envelope.contentType = reader.string();
    } else {
      skipField('Unknown', tag, reader);
    }
  }
  return envelope;
}

/** What an envelope says of its object, which is a part of the bytes. */
export interface OpenedEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** Reads the object itself; throws as decodeProtobuf. */
  decode(): Record<string, unknown>;
}

/**
 * Opens an envelope whose object may leave out its type where `wanted` says it. What is wrong with
 * the envelope is thrown here, what is wrong with the object by `decode`.
 */
export function openProtobuf(bytes: Uint8Array, wanted: TypeMeta): OpenedEnvelope {
  const envelope = openEnvelope(bytes);
  const apiVersion = envelope.apiVersion === '' ? wanted.apiVersion : envelope.apiVersion;
  const kind = envelope.kind === '' ? wanted.kind : envelope.kind;
  return { apiVersion, kind, decode: () => decodeEnvelope({ ...envelope, apiVersion, kind }) };
}

/**
 * Reads an object with its envelope into the JSON that upstream makes of it: empty fields that Go
 * holds by value are left out, so conform and applyDefaults treat it as any parsed body.
 */
export function decodeProtobuf(bytes: Uint8Array): Record<string, unknown> {
  return decodeEnvelope(openEnvelope(bytes));
}

function decodeEnvelope({ apiVersion, kind, raw, contentType }: Envelope): Record<string, unknown> {
  if (contentType === 'application/json') {
    return JSON.parse(raw.toString('utf8')) as Record<string, unknown>;
  }
  const message = messageNameOfKind({ apiVersion, kind });
  if (message === undefined) {
    throw new K3tsError('Protobuf', `no kind "${kind}" is registered for version "${apiVersion}"`);
  }
  return {
    apiVersion,
    kind,
    ...(codec.decode(message, new ProtobufReader(raw)) as Record<string, unknown>),
  };
}

/** Writes an object with its envelope; undefined when its kind has no protobuf form. */
export function encodeProtobuf(object: object): Buffer | undefined {
  const { apiVersion = '', kind = '' } = object as Partial<TypeMeta>;
  const message = messageNameOfKind({ apiVersion, kind });
  if (message === undefined) return undefined;
  const writer = new ReverseWriter();
  writer.stringField(4, '');
  writer.stringField(3, '');
  writer.messageField(2, () => codec.encode(message, object, writer));
  writer.messageField(1, () => {
    writer.stringField(2, kind);
    writer.stringField(1, apiVersion);
  });
  return Buffer.concat([magic, writer.finish()]);
}

/** Field numbers of every list: its metadata and its items. */
const listMetadataField = 1;
const listItemsField = 2;

/** An object as one item of a list, with the header of its field; undefined as encodeProtobuf. */
export function encodeProtobufItem(object: object): Buffer | undefined {
  const { apiVersion = '', kind = '' } = object as Partial<TypeMeta>;
  const message = messageNameOfKind({ apiVersion, kind });
  if (message === undefined) return undefined;
  const writer = new ReverseWriter();
  writer.messageField(listItemsField, () => codec.encode(message, object, writer));
  return writer.finish();
}

/**
 * What stands before and after the items of a list, `itemsBytes` long, so that long lists are
 * written piece by piece. The same bytes as encodeProtobuf gives for the list as a whole;
 * undefined when its kind has no protobuf form.
 */
export function encodeProtobufList(
  list: TypeMeta & { metadata: object },
  itemsBytes: number,
): { head: Buffer; tail: Buffer } | undefined {
  if (messageNameOfKind(list) === undefined) return undefined;
  const metadata = new ReverseWriter();
  metadata.messageField(listMetadataField, () =>
    codec.encode(`${metaPackage}.ListMeta`, list.metadata, metadata),
  );
  const metadataBytes = metadata.finish();
  const tail = new ReverseWriter();
  tail.stringField(4, '');
  tail.stringField(3, '');
  const head = new ReverseWriter();
  head.varint(metadataBytes.length + itemsBytes);
  head.tag(2, 2);
  head.messageField(1, () => {
    head.stringField(2, list.kind);
    head.stringField(1, list.apiVersion);
  });
  return { head: Buffer.concat([magic, head.finish(), metadataBytes]), tail: tail.finish() };
}

/**
 * One frame of a watch: a big-endian length, then a WatchEvent around an object that encodeProtobuf
 * has written.
 */
export function frameWatchEvent(type: string, object: Uint8Array): Buffer {
  const writer = new ReverseWriter();
  writer.messageField(2, () => writer.bytesField(1, object));
  writer.stringField(1, type);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(writer.sizeBytes);
  return Buffer.concat([size, writer.finish()]);
}
