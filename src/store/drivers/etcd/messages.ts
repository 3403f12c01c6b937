import { ProtobufReader, ReverseWriter } from '#schema/protobuf/mod.ts';

/** A key as etcd holds it. */
export interface EtcdKeyValue {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Changes since the key was created; the clock of the compaction key. */
  readonly version: number;
}

export interface RangeRequest {
  readonly key: string;
  /** Absent for the key alone. */
  readonly rangeEnd?: Buffer | undefined;
  readonly limit?: number | undefined;
  readonly revision?: number | undefined;
  readonly isCountOnly?: boolean | undefined;
  readonly isKeysOnly?: boolean | undefined;
}

export interface RangeResponse {
  revision: number;
  items: EtcdKeyValue[];
  count: number;
}

/** One compare, one operation when it holds, and the key's state when it does not. */
export interface TxnRequest {
  readonly key: string;
  readonly compare: 'modRevision' | 'version';
  readonly expected: number;
  /** Absent for a delete. */
  readonly put?: { readonly value: Buffer; readonly lease: number } | undefined;
  readonly readsOnFailure: boolean;
  /** Also tells the key without its value, for its createRevision. */
  readonly readsOnSuccess?: boolean | undefined;
}

export interface TxnResponse {
  revision: number;
  succeeded: boolean;
  /** What the read found. */
  items: EtcdKeyValue[];
}

export interface EtcdEvent {
  isDelete: boolean;
  item: EtcdKeyValue;
  previous: EtcdKeyValue | undefined;
}

export interface WatchCreateRequest {
  readonly key: string;
  readonly rangeEnd: Buffer;
  readonly startRevision: number;
}

export interface WatchResponse {
  revision: number;
  isCreated: boolean;
  isCanceled: boolean;
  compactRevision: number;
  cancelReason: string;
  isFragment: boolean;
  events: EtcdEvent[];
}

const equal = 0;
const targets = { version: 0, modRevision: 2 } as const;
const targetFields = { version: 4, modRevision: 6 } as const;

function write(fill: (writer: ReverseWriter) => void): Buffer {
  const writer = new ReverseWriter();
  fill(writer);
  return writer.finish();
}

function number(writer: ReverseWriter, field: number, value: number): void {
  writer.signed(value);
  writer.tag(field, 0);
}

function fillRange(writer: ReverseWriter, request: RangeRequest): void {
  if (request.isCountOnly === true) writer.boolField(9, true);
  if (request.isKeysOnly === true) writer.boolField(8, true);
  if (request.revision !== undefined) number(writer, 4, request.revision);
  if (request.limit !== undefined) number(writer, 3, request.limit);
  if (request.rangeEnd !== undefined) writer.bytesField(2, request.rangeEnd);
  writer.stringField(1, request.key);
}

export function encodeRange(request: RangeRequest): Buffer {
  return write((writer) => fillRange(writer, request));
}

export function encodeTxn(request: TxnRequest): Buffer {
  const { key, compare, expected, put } = request;
  return write((writer) => {
    if (request.readsOnFailure) {
      writer.messageField(3, () => writer.messageField(1, () => fillRange(writer, { key })));
    }
    if (request.readsOnSuccess === true) {
      const read = { key, isKeysOnly: true };
      writer.messageField(2, () => writer.messageField(1, () => fillRange(writer, read)));
    }
    writer.messageField(2, () => {
      if (put === undefined) {
        writer.messageField(3, () => writer.stringField(1, key));
        return;
      }
      writer.messageField(2, () => {
        if (put.lease !== 0) number(writer, 3, put.lease);
        writer.bytesField(2, put.value);
        writer.stringField(1, key);
      });
    });
    writer.messageField(1, () => {
      number(writer, targetFields[compare], expected);
      writer.stringField(3, key);
      number(writer, 2, targets[compare]);
      number(writer, 1, equal);
    });
  });
}

export function encodeCompaction(revision: number): Buffer {
  return write((writer) => number(writer, 1, revision));
}

export function encodeLeaseGrant(id: number, ttlSeconds: number): Buffer {
  return write((writer) => {
    number(writer, 2, id);
    number(writer, 1, ttlSeconds);
  });
}

export function encodeWatchCreate(request: WatchCreateRequest): Buffer {
  return write((writer) => {
    writer.messageField(1, () => {
      writer.boolField(8, true);
      writer.boolField(6, true);
      writer.boolField(4, true);
      number(writer, 3, request.startRevision);
      writer.bytesField(2, request.rangeEnd);
      writer.stringField(1, request.key);
    });
  });
}

/** Calls `visit` for each field; it reads the value and returns true, or leaves it and says false. */
function eachField(
  reader: ProtobufReader,
  visit: (field: number, wireType: number) => boolean,
): void {
  while (!reader.isDone) {
    const tag = reader.varint();
    const field = Math.floor(tag / 8);
    if (!visit(field, tag % 8)) reader.skip(tag % 8);
  }
}

function readHeader(reader: ProtobufReader): number {
  let revision = 0;
  eachField(reader, (field) => {
    if (field !== 3) return false;
    revision = reader.signed();
    return true;
  });
  return revision;
}

function readKeyValue(reader: ProtobufReader): EtcdKeyValue {
  let key = '';
  let value: Buffer = Buffer.alloc(0);
  let createRevision = 0;
  let modRevision = 0;
  let version = 0;
  eachField(reader, (field) => {
    if (field === 1) key = reader.string();
    else if (field === 2) createRevision = reader.signed();
    else if (field === 3) modRevision = reader.signed();
    else if (field === 4) version = reader.signed();
    // copied: a value of a cache must not keep the whole answer in memory
    else if (field === 5) value = Buffer.from(reader.bytes());
    else return false;
    return true;
  });
  return { key, value, createRevision, modRevision, version };
}

function readRange(reader: ProtobufReader): RangeResponse {
  const response: RangeResponse = { revision: 0, items: [], count: 0 };
  eachField(reader, (field) => {
    if (field === 1) response.revision = readHeader(reader.message());
    else if (field === 2) response.items.push(readKeyValue(reader.message()));
    else if (field === 4) response.count = reader.signed();
    else return false;
    return true;
  });
  return response;
}

export function decodeRange(bytes: Buffer): RangeResponse {
  return readRange(new ProtobufReader(bytes));
}

export function decodeTxn(bytes: Buffer): TxnResponse {
  const response: TxnResponse = { revision: 0, succeeded: false, items: [] };
  const reader = new ProtobufReader(bytes);
  eachField(reader, (field) => {
    if (field === 1) response.revision = readHeader(reader.message());
    else if (field === 2) response.succeeded = reader.varint() !== 0;
    else if (field === 3) {
      const operation = reader.message();
      eachField(operation, (kind) => {
        if (kind !== 1) return false;
        response.items.push(...readRange(operation.message()).items);
        return true;
      });
    } else return false;
    return true;
  });
  return response;
}

function readEvent(reader: ProtobufReader): EtcdEvent {
  let isDelete = false;
  let item: EtcdKeyValue | undefined;
  let previous: EtcdKeyValue | undefined;
  eachField(reader, (field) => {
    if (field === 1) isDelete = reader.varint() === 1;
    else if (field === 2) item = readKeyValue(reader.message());
    else if (field === 3) previous = readKeyValue(reader.message());
    else return false;
    return true;
  });
  if (item === undefined) throw new TypeError('etcd sent an event without a key');
  return { isDelete, item, previous };
}

export function decodeWatch(bytes: Buffer): WatchResponse {
  const response: WatchResponse = {
    revision: 0,
    isCreated: false,
    isCanceled: false,
    compactRevision: 0,
    cancelReason: '',
    isFragment: false,
    events: [],
  };
  const reader = new ProtobufReader(bytes);
  eachField(reader, (field) => {
    if (field === 1) response.revision = readHeader(reader.message());
    else if (field === 3) response.isCreated = reader.varint() !== 0;
    else if (field === 4) response.isCanceled = reader.varint() !== 0;
    else if (field === 5) response.compactRevision = reader.signed();
    else if (field === 6) response.cancelReason = reader.string();
    else if (field === 7) response.isFragment = reader.varint() !== 0;
    else if (field === 11) response.events.push(readEvent(reader.message()));
    else return false;
    return true;
  });
  return response;
}

/** Answers that only matter by their header. */
export function decodeHeader(bytes: Buffer): { revision: number } {
  const reader = new ProtobufReader(bytes);
  let revision = 0;
  eachField(reader, (field) => {
    if (field !== 1) return false;
    revision = readHeader(reader.message());
    return true;
  });
  return { revision };
}

export function decodeStatus(bytes: Buffer): { version: string; sizeBytes: number } {
  const reader = new ProtobufReader(bytes);
  const status = { version: '', sizeBytes: 0 };
  eachField(reader, (field) => {
    if (field === 2) status.version = reader.string();
    else if (field === 3) status.sizeBytes = reader.signed();
    else return false;
    return true;
  });
  return status;
}
