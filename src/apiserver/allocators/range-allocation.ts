import { K3tsError } from '#base/errors.ts';
import { isProtobuf, ProtobufReader } from '#schema/protobuf/mod.ts';

/** What is stored of a range: its text, and a bit for each number that is taken. */
export interface RangeAllocation {
  readonly range: string;
  readonly taken: readonly number[];
}

/**
 * The stored form, upstream's RangeAllocation as JSON: `data` is a big-endian integer whose bit n
 * says that the n-th number of the range is taken.
 */
export function encodeRangeAllocation({ range, taken }: RangeAllocation): Buffer {
  const data = encodeBits(taken).toString('base64');
  const metadata = { creationTimestamp: null };
  const object = { kind: 'RangeAllocation', apiVersion: 'v1', metadata, range, data };
  return Buffer.from(JSON.stringify(object));
}

/** Reads our form, and the protobuf of other API servers; throws on anything else. */
export function decodeRangeAllocation(bytes: Buffer): RangeAllocation {
  if (isProtobuf(bytes)) return decodeForeign(bytes);
  const object = JSON.parse(bytes.toString('utf8')) as { range?: unknown; data?: unknown };
  if (typeof object.range !== 'string') {
    throw new K3tsError('RangeAllocation', 'the stored range allocation has no range');
  }
  const data = typeof object.data === 'string' ? object.data : '';
  return { range: object.range, taken: decodeBits(Buffer.from(data, 'base64')) };
}

function encodeBits(taken: readonly number[]): Buffer {
  const highest = taken.reduce((most, number) => Math.max(most, number), -1);
  const bytes = Buffer.alloc((highest >> 3) + 1);
  for (const number of taken) {
    const at = bytes.length - 1 - (number >> 3);
    bytes[at] = (bytes[at] ?? 0) | (1 << (number & 7));
  }
  return bytes;
}

function decodeBits(bytes: Buffer): number[] {
  const taken: number[] = [];
  for (let at = bytes.length - 1; at >= 0; at--) {
    for (let bit = 0; bit < 8; bit++) {
      if (((bytes[at] ?? 0) & (1 << bit)) !== 0) taken.push((bytes.length - 1 - at) * 8 + bit);
    }
  }
  return taken;
}

/** Fields of the envelope: 2 is the object. Fields of the object: 2 is the range, 3 the bits. */
function decodeForeign(bytes: Buffer): RangeAllocation {
  const object = fieldsOf(bytes.subarray(4)).get(2) ?? Buffer.alloc(0);
  const fields = fieldsOf(object);
  return {
    range: fields.get(2)?.toString('utf8') ?? '',
    taken: decodeBits(fields.get(3) ?? Buffer.alloc(0)),
  };
}

function fieldsOf(bytes: Buffer): Map<number, Buffer> {
  const fields = new Map<number, Buffer>();
  const reader = new ProtobufReader(bytes);
  while (!reader.isDone) {
    const tag = reader.varint();
    if ((tag & 7) !== 2) throw new K3tsError('Protobuf', 'unexpected field of a RangeAllocation');
    fields.set(tag >> 3, reader.bytes());
  }
  return fields;
}
