import { K3tsError } from '#base/errors.ts';

function tooShort(): never {
  throw new K3tsError('Protobuf', 'unexpected EOF');
}

/** Reads protobuf from a buffer, which must not change meanwhile. Throws in the words of upstream's decoder. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isDone(): boolean {
    return this.#at >= this.#end;
  }

  /** An unsigned integer; exact up to 2^53. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= this.#end) tooShort();
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new K3tsError('Protobuf', 'proto: integer overflow');
  }

  /** An integer written as int32 or int64: negative ones take ten bytes. */
  signed(): number {
    const start = this.#at;
    const value = this.varint();
    if (this.#at - start < 10) return value;
    let exact = 0n;
    for (let at = this.#at - 1; at >= start; at--) {
      exact = (exact << 7n) | BigInt((this.#bytes[at] ?? 0) & 0x7f);
    }
    return Number(BigInt.asIntN(64, exact));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#pass(8));
  }

  /** The bytes of a length-delimited value, not copied. */
  bytes(): Buffer {
    const length = this.varint();
    const start = this.#pass(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    const length = this.varint();
    const start = this.#pass(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** A reader of the message that is next. */
  message(): ProtobufReader {
    const length = this.varint();
    const start = this.#pass(length);
    return new ProtobufReader(this.#bytes, start, start + length);
  }

  /** Passes over a value of a field that nobody knows. */
  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#pass(8);
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.#pass(4);
    else if (wireType === 3) this.#skipGroup();
    else if (wireType === 4) throw new K3tsError('Protobuf', 'proto: unexpected end of group');
    else throw new K3tsError('Protobuf', `proto: illegal wireType ${wireType}`);
  }

  #skipGroup(): void {
    for (let depth = 1; depth > 0;) {
      const wireType = this.varint() % 8;
      if (wireType === 3) depth++;
      else if (wireType === 4) depth--;
      else this.skip(wireType);
    }
  }

  /** Moves on and says where it was. */
  #pass(length: number): number {
    const start = this.#at;
    if (start + length > this.#end) tooShort();
    this.#at = start + length;
    return start;
  }
}
