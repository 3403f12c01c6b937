const firstSizeBytes = 4096;

/** Up to here a loop beats the native call. */
const shortText = 40;

/**
 * Writes protobuf from the end to the start, so that the length of a message is known when its
 * header is written and nothing is copied twice. Callers write fields, and items of repeated
 * fields, last one first.
 */
export class ReverseWriter {
  #buffer = Buffer.allocUnsafe(firstSizeBytes);
  #at = firstSizeBytes;

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#buffer.length - this.#at;
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#at));
  }

  /** May replace the buffer: take the place first, then write. */
  #reserve(bytes: number): number {
    if (this.#at < bytes) {
      const used = this.sizeBytes;
      const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + bytes * 2));
      this.#buffer.copy(grown, grown.length - used, this.#at);
      this.#buffer = grown;
      this.#at = grown.length - used;
    }
    this.#at -= bytes;
    return this.#at;
  }

  /** An unsigned integer up to 2^53. */
  varint(value: number): void {
    if (value < 0x80) {
      const at = this.#reserve(1);
      this.#buffer[at] = value;
      return;
    }
    let bytes = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
    let at = this.#reserve(bytes);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#buffer[at++] = (rest % 0x80) | 0x80;
    }
    this.#buffer[at] = rest;
  }

  /** A signed integer as protobuf's int32 and int64 have it: ten bytes when negative. */
  signed(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    let at = this.#reserve(10);
    for (let i = 0; i < 9; i++, rest >>= 7n) this.#buffer[at++] = Number(rest & 0x7fn) | 0x80;
    this.#buffer[at] = Number(rest);
  }

  double(value: number): void {
    const at = this.#reserve(8);
    this.#buffer.writeDoubleLE(value, at);
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  /** A length-delimited field with these bytes. */
  bytesField(field: number, bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer.set(bytes, at);
    this.varint(bytes.length);
    this.tag(field, 2);
  }

  stringField(field: number, text: string): void {
    if (text.length <= shortText && this.#shortText(text)) {
      this.varint(text.length);
      this.tag(field, 2);
      return;
    }
    const length = Buffer.byteLength(text);
    const at = this.#reserve(length);
    this.#buffer.write(text, at, 'utf8');
    this.varint(length);
    this.tag(field, 2);
  }

  /** Writes ASCII without a call into native code; false, and nothing written, for other text. */
  #shortText(text: string): boolean {
    const at = this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#at += text.length;
        return false;
      }
      this.#buffer[at + i] = code;
    }
    return true;
  }

  /** A message field whose inside `write` writes. */
  messageField(field: number, write: () => void): void {
    const before = this.sizeBytes;
    write();
    this.varint(this.sizeBytes - before);
    this.tag(field, 2);
  }

  boolField(field: number, value: boolean): void {
    this.varint(value ? 1 : 0);
    this.tag(field, 0);
  }
}
