/** A field of a protobuf message: numbers stay numbers, everything else is bytes. */
export interface WireField {
  readonly number: number;
  readonly value: number | Buffer;
}

/** Reads the fields of a message in order. Throws for what is no protobuf. */
export function readFields(data: Buffer): WireField[] {
  const fields: WireField[] = [];
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = data[offset++];
      if (byte === undefined) throw new Error('unexpected EOF');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('proto: integer overflow');
  };
  while (offset < data.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) {
      fields.push({ number, value: varint() });
    } else if (wireType === 2) {
      const length = varint();
      if (offset + length > data.length) throw new Error('unexpected EOF');
      fields.push({ number, value: data.subarray(offset, offset + length) });
      offset += length;
    } else throw new Error(`proto: illegal wireType ${wireType}`);
  }
  return fields;
}

/** One field of bytes or text; empty ones are left out, as proto3 does. */
export function bytesField(number: number, value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  if (bytes.length === 0) return bytes;
  return Buffer.concat([varintOf(number * 8 + 2), varintOf(bytes.length), bytes]);
}

export function numberField(number: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varintOf(number * 8), varintOf(value)]);
}

/** A map from text to bytes, by key. */
export function mapField(number: number, values: ReadonlyMap<string, Buffer>): Buffer {
  const entries = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat(
    entries.map(([key, value]) =>
      bytesField(number, Buffer.concat([bytesField(1, key), bytesField(2, value)])),
    ),
  );
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/** The last value of a field of bytes. */
export function bytesOf(fields: readonly WireField[], number: number): Buffer {
  const value = fields.findLast((field) => field.number === number)?.value;
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

export function textOf(fields: readonly WireField[], number: number): string {
  return bytesOf(fields, number).toString('utf8');
}

export function mapOf(fields: readonly WireField[], number: number): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (const field of fields) {
    if (field.number !== number || !Buffer.isBuffer(field.value)) continue;
    const entry = readFields(field.value);
    values.set(textOf(entry, 1), bytesOf(entry, 2));
  }
  return values;
}
