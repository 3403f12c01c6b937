/**
 * The few forms of DER that certificates and signing requests are made of: as much as is needed to
 * write them and to find a part in one that another program wrote.
 */
import { K3tsError } from '#base/errors.ts';

const sequenceTag = 0x30;

/** A value under its tag. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(length), ...parts]);
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  if (length < 0x100) return Buffer.from([0x81, length]);
  return Buffer.from([0x82, length >> 8, length & 0xff]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(sequenceTag, ...parts);
}

/** A whole number that is not negative, from its bytes. */
export function integer(bytes: Uint8Array): Buffer {
  return (bytes[0] ?? 0) >= 0x80 ? der(0x02, Buffer.from([0]), bytes) : der(0x02, bytes);
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return der(0x03, Buffer.from([unusedBits]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return der(0x04, bytes);
}

/** An object identifier from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const number of others) {
    const digits = [number & 0x7f];
    for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) {
      digits.unshift((rest & 0x7f) | 0x80);
    }
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** Text as a PrintableString where its letters allow that, else as UTF-8. */
export function text(value: string): Buffer {
  return der(printable.test(value) ? 0x13 : 0x0c, Buffer.from(value));
}

/** A time to the second, in the form that its year asks for. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '');
  const isShort = digits < '2050';
  return der(isShort ? 0x17 : 0x18, Buffer.from(isShort ? digits.slice(2) : digits));
}

/** One value that was read. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}

/** The values side by side in `bytes`; throws K3tsError BadRequest when they do not end with them. */
export function readValues(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const tag = bytes[at++] ?? 0;
    let length = bytes[at++] ?? cutOff();
    if (length >= 0x80) {
      const count = length - 0x80;
      if (count === 0 || count > 3 || at + count > bytes.length) cutOff();
      length = bytes.readUIntBE(at, count);
      at += count;
    }
    const end = at + length;
    if (end > bytes.length) cutOff();
    values.push({ tag, content: bytes.subarray(at, end), whole: bytes.subarray(start, end) });
    at = end;
  }
  return values;
}

/** The values inside the only value that `bytes` are: a sequence. */
export function readSequence(bytes: Buffer): DerValue[] {
  const [only, ...others] = readValues(bytes);
  if (only?.tag !== sequenceTag || others.length > 0) {
    throw new K3tsError('BadRequest', 'a DER sequence was expected');
  }
  return readValues(only.content);
}

function cutOff(): never {
  throw new K3tsError('BadRequest', 'a DER value is cut off');
}
