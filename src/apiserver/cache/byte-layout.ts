import type { GroupVersionKind, UnknownObject } from '#schema/mod.ts';
import { groupVersion } from '#schema/mod.ts';
import { keptText } from '#schema/apply/mod.ts';
import type { ManagedFieldsEntry } from '#schema/types.ts';

const quote = 0x22;
const digitZero = 0x30;
const closingBrace = 0x7d;
const lineBreak = 0x0a;

/** An object turned into JSON before its revision is known. */
export interface EncodedObject {
  /**
   * The bytes with this revision inside; cheap, so that it can run while a commit waits. For 0, the
   * revision that is not known yet, without any: the form of upstream's stores.
   */
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
  readonly #bareStart: string;
  readonly #bareBytes: Buffer;
  readonly #startBytes: Buffer;

  constructor(gvk: GroupVersionKind) {
    this.apiVersion = groupVersion(gvk);
    this.kind = gvk.kind;
    const head = `{"kind":${JSON.stringify(gvk.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},`;
    this.itemOffset = Buffer.byteLength(head);
    this.#bareStart = `${head}"metadata":{`;
    this.#bareBytes = Buffer.from(this.#bareStart);
    this.#start = `${this.#bareStart}"resourceVersion":"`;
    this.#startBytes = Buffer.from(this.#start);
  }

  /** Turns the object into JSON now; its own kind, apiVersion and resourceVersion do not count. */
  encode(object: UnknownObject): EncodedObject {
    const tail = tailOf(object);
    const start = this.#start;
    const bare = this.#bareStart;
    return {
      bytes(revision) {
        const text =
          revision === 0 ? bare + tail.replace(/^",?/, '') : `${start}${revision}${tail}`;
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

  /**
   * The bytes in form of a value that carries no resourceVersion but is in form otherwise, as
   * upstream's servers and this one store it; undefined for other values.
   */
  withRevision(value: Buffer, object: UnknownObject, revision: number): Buffer | undefined {
    const bare = this.#bareBytes;
    if (object.metadata.resourceVersion !== undefined || value.length <= bare.length) {
      return undefined;
    }
    if (value.compare(bare, 0, bare.length, 0, bare.length) !== 0) return undefined;
    const isEmpty = value[bare.length] === closingBrace;
    const start = `${this.#start}${revision}"${isEmpty ? '' : ','}`;
    // Go's encoder ends its output with a line break
    const end = value[value.length - 1] === lineBreak ? value.length - 1 : value.length;
    const startLength = Buffer.byteLength(start);
    const bytes = Buffer.allocUnsafeSlow(startLength + end - bare.length);
    bytes.write(start);
    value.copy(bytes, startLength, bare.length, end);
    return bytes;
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
  const metadataJson = metadataText(metadata);
  const restJson = JSON.stringify(rest);
  const metadataTail = metadataJson === '{}' ? '"}' : `",${metadataJson.slice(1)}`;
  return restJson === '{}' ? `${metadataTail}}` : `${metadataTail},${restJson.slice(1)}`;
}

/** The metadata without resourceVersion, the owners last as upstream has them. */
function metadataText(metadata: UnknownObject['metadata']): string {
  const { resourceVersion: _resourceVersion, managedFields, ...others } = metadata;
  const text = JSON.stringify(others);
  if (managedFields === undefined) return text;
  const owners = `"managedFields":${ownersText(managedFields)}}`;
  return text === '{}' ? `{${owners}` : `${text.slice(0, -1)},${owners}`;
}

function ownersText(owners: readonly ManagedFieldsEntry[] | null): string {
  if (!Array.isArray(owners) || owners.every(({ fieldsV1 }) => textOf(fieldsV1) === undefined)) {
    return JSON.stringify(owners);
  }
  return `[${owners.map(ownerText).join(',')}]`;
}

function ownerText(owner: ManagedFieldsEntry): string {
  const { fieldsV1, subresource, ...others } = owner;
  const fields = textOf(fieldsV1);
  if (fields === undefined) return JSON.stringify(owner);
  const end = subresource === undefined ? '' : `,"subresource":${JSON.stringify(subresource)}`;
  return `${JSON.stringify(others).slice(0, -1)},"fieldsV1":${fields}${end}}`;
}

function textOf(fields: unknown): string | undefined {
  return typeof fields === 'object' && fields !== null ? keptText(fields) : undefined;
}
