import type { GroupVersionKind, UnknownObject } from '#schema/mod.ts';
import { groupVersion } from '#schema/mod.ts';

const quote = 0x22;
const digitZero = 0x30;

/** An object turned into JSON before its revision is known. */
export interface EncodedObject {
  /** The bytes with this revision inside; cheap, so that it can run while a commit waits. */
  bytes(revision: number): Buffer;
}

/**
 * The byte form of one kind in the store, the cache and every answer: kind, apiVersion and the
 * resourceVersion first, at known places, so that a revision is spliced in without parsing and a
 * list item is cut out without apiVersion and kind.
 */
export class ByteLayout {
  readonly apiVersion: string;
  readonly kind: string;
  /** Where a list item starts when apiVersion and kind are left out: at `"metadata"`. */
  readonly itemOffset: number;
  readonly #start: string;
  readonly #startBytes: Buffer;

  constructor(gvk: GroupVersionKind) {
    this.apiVersion = groupVersion(gvk);
    this.kind = gvk.kind;
    const head = `{"kind":${JSON.stringify(gvk.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},`;
    this.itemOffset = Buffer.byteLength(head);
    this.#start = `${head}"metadata":{"resourceVersion":"`;
    this.#startBytes = Buffer.from(this.#start);
  }

  /** Turns the object into JSON now; its own kind, apiVersion and resourceVersion do not count. */
  encode(object: UnknownObject): EncodedObject {
    const tail = tailOf(object);
    const start = this.#start;
    return {
      bytes(revision) {
        const text = `${start}${revision}${tail}`;
        const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
        bytes.write(text);
        return bytes;
      },
    };
  }

  /** The same object under another revision; `bytes` must be in form. */
  reencode(bytes: Buffer): EncodedObject {
    const tail = bytes.subarray(bytes.indexOf(quote, this.#startBytes.length));
    return {
      bytes: (revision) => {
        const start = `${this.#start}${revision}`;
        const startLength = Buffer.byteLength(start);
        const copy = Buffer.allocUnsafeSlow(startLength + tail.length);
        copy.write(start);
        tail.copy(copy, startLength);
        return copy;
      },
    };
  }

  /** Whether `value` already is in this form and carries `revision`. */
  isInForm(value: Buffer, revision: number): boolean {
    const start = this.#startBytes;
    if (value.length <= start.length) return false;
    if (value.compare(start, 0, start.length, 0, start.length) !== 0) return false;
    let read = 0;
    for (let at = start.length; at < value.length; at++) {
      const byte = value[at] as number;
      if (byte === quote) return read === revision;
      read = read * 10 + byte - digitZero;
    }
    return false;
  }
}

/** Everything after the digits of the resourceVersion. */
function tailOf(object: UnknownObject): string {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _resourceVersion, ...otherMetadata } = metadata;
  const metadataJson = JSON.stringify(otherMetadata);
  const restJson = JSON.stringify(rest);
  const metadataTail = metadataJson === '{}' ? '"}' : `",${metadataJson.slice(1)}`;
  return restJson === '{}' ? `${metadataTail}}` : `${metadataTail},${restJson.slice(1)}`;
}
