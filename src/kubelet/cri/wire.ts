/** Writes protobuf's wire format into a buffer that grows. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  tag(fieldNumber: number, wireType: number): void {
    this.varint(fieldNumber * 8 + wireType);
  }

  /** Negative numbers take ten bytes, as protobuf's int32 and int64 do. */
  varint(value: number): void {
    this.#reserve(10);
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
      let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
      while (rest > 127n) {
        this.#buffer[this.#length++] = Number(rest & 127n) | 128;
        rest >>= 7n;
      }
      this.#buffer[this.#length++] = Number(rest);
      return;
    }
    let rest = value;
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#buffer.write(text, this.#length, 'utf8');
  }

  bytes(content: Uint8Array): void {
    this.varint(content.length);
    this.#reserve(content.length);
    this.#buffer.set(content, this.#length);
    this.#length += content.length;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  /** What `write` writes, with its length before it. */
  delimited(write: () => void): void {
    const start = this.#length;
    this.#reserve(1);
    this.#length += 1;
    write();
    const size = this.#length - start - 1;
    if (size < 128) {
      this.#buffer[start] = size;
      return;
    }
    const extra = size < 16_384 ? 1 : size < 2_097_152 ? 2 : 4;
    this.#reserve(extra);
    this.#buffer.copyWithin(start + 1 + extra, start + 1, this.#length);
    this.#length += extra;
    let rest = size;
    for (let index = 0; index <= extra; index++) {
      this.#buffer[start + index] = (rest % 128) | (index < extra ? 128 : 0);
      rest = Math.floor(rest / 128);
    }
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}

/** Reads protobuf's wire format; a message that ends too early is a RangeError. */
export class ByteReader {
  offset = 0;
  readonly #buffer: Buffer;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  #byte(): number {
    const value = this.#buffer[this.offset++];
    if (value === undefined) throw new RangeError('protobuf message ends too early');
    return value;
  }

  varint(): number {
    let result = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte();
      result += (byte & 127) * factor;
      if (byte < 128) return result;
      factor *= 128;
    }
    throw new RangeError('protobuf varint is too long');
  }

  /** As int32 and int64 are written: two's complement of 64 bits. */
  signedVarint(): number {
    const start = this.offset;
    const value = this.varint();
    if (this.offset - start < 10) return value;
    let exact = 0n;
    for (let index = 0; index < 10; index++) {
      exact |= BigInt((this.#buffer[start + index] ?? 0) & 127) << BigInt(index * 7);
    }
    return Number(BigInt.asIntN(64, exact));
  }

  /** Reads a length and returns where the content ends. */
  delimitedEnd(): number {
    const length = this.varint();
    const end = this.offset + length;
    if (end > this.#buffer.length) throw new RangeError('protobuf message ends too early');
    return end;
  }

  string(): string {
    const end = this.delimitedEnd();
    const text = this.#buffer.toString('utf8', this.offset, end);
    this.offset = end;
    return text;
  }

  bytes(): Buffer {
    const end = this.delimitedEnd();
    const content = this.#buffer.subarray(this.offset, end);
    this.offset = end;
    return content;
  }

  double(): number {
    const value = this.#buffer.readDoubleLE(this.offset);
    this.offset += 8;
    return value;
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.offset += 8;
    else if (wireType === 2) this.offset = this.delimitedEnd();
    else if (wireType === 5) this.offset += 4;
    else throw new RangeError(`protobuf wire type ${wireType} is not known`);
  }
}
