/** Values side by side in few buffers, to cross a thread as a transfer instead of one copy each. */
export interface PackedValues {
  readonly chunks: Uint8Array<ArrayBuffer>[];
  /** Length of each value; -1 where there is none. */
  readonly lengths: Int32Array<ArrayBuffer>;
}

/**
 * A chunk lives as long as one of its values does, so that long-lived readers want small ones: a
 * cache that replaces its objects one by one then gives memory back.
 */
export const readChunkBytes = 64 * 1024;

/** Values are never split: one that is larger than a chunk has a chunk of its own. */
export function packValues(
  values: readonly (Uint8Array | undefined)[],
  chunkBytes = Infinity,
): PackedValues {
  const lengths = new Int32Array(values.length);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  let bytes = 0;
  const close = (end: number): void => {
    const chunk = new Uint8Array(bytes);
    let offset = 0;
    for (let i = start; i < end; i++) {
      const value = values[i];
      if (value === undefined) continue;
      chunk.set(value, offset);
      offset += value.length;
    }
    chunks.push(chunk);
    start = end;
    bytes = 0;
  };
  for (const [i, value] of values.entries()) {
    lengths[i] = value?.length ?? -1;
    if (value === undefined || value.length === 0) continue;
    if (bytes > 0 && bytes + value.length > chunkBytes) close(i);
    bytes += value.length;
  }
  if (bytes > 0) close(values.length);
  return { chunks, lengths };
}

/** The values again, as views into the chunks. */
export function unpackValues(packed: PackedValues): (Buffer | undefined)[] {
  const { chunks, lengths } = packed;
  const values: (Buffer | undefined)[] = [];
  let chunk = 0;
  let offset = 0;
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i]!;
    if (length <= 0) {
      values.push(length === 0 ? Buffer.alloc(0) : undefined);
      continue;
    }
    if (offset === chunks[chunk]!.length) {
      chunk++;
      offset = 0;
    }
    const { buffer, byteOffset } = chunks[chunk]!;
    values.push(Buffer.from(buffer, byteOffset + offset, length));
    offset += length;
  }
  return values;
}

/** What to hand to postMessage as its transfer list. */
export function transferOf(packed: PackedValues): ArrayBuffer[] {
  return packed.chunks.map((chunk) => chunk.buffer);
}
