import { K3tsError } from '#base/errors.ts';

function malformed(): never {
  throw new K3tsError('Protobuf', 'proto: cannot parse invalid wire-format data');
}

/** Reads protobuf from a buffer, which must not change meanwhile. Throws when it ends too early. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = this.#bytes.length;
    this.#at = 0;
  }

  get isDone(): boolean {
    return this.#at >= this.#end;
  }

  /** An unsigned integer; exact up to 2^53. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= this.#end) malformed();
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    return malformed();
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
    return this.#take(8).readDoubleLE(0);
  }

  /** The bytes of a length-delimited value, not copied. */
  bytes(): Buffer {
    return this.#take(this.varint());
  }

  string(): string {
    return this.bytes().toString('utf8');
  }

  /** Passes over a value of a field that nobody knows. */
  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.#take(4);
    else malformed();
  }

  #take(length: number): Buffer {
    const start = this.#at;
    if (start + length > this.#end) malformed();
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }
}
