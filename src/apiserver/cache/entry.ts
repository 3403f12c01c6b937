import type { UnknownObject } from '#schema/mod.ts';
import type { FieldReader, FieldValues } from './selectable-fields.ts';

type Labels = Readonly<Record<string, string>>;

export const noLabels: Labels = Object.freeze({});

/**
 * One object in memory: its bytes as every client gets them, and beside them the little that lists
 * and watches select by. Immutable; a change makes a new entry. With a reader in place of fields,
 * labels and fields are read from the bytes when somebody asks for them.
 */
export class CacheEntry {
  readonly key: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly bytes: Buffer;
  #labels: Labels;
  #fields: FieldValues | FieldReader;
  #object: WeakRef<UnknownObject> | undefined;
  #isOwn = false;
  #metadataEnd = 0;

  constructor(init: {
    key: string;
    namespace: string;
    name: string;
    revision: number;
    bytes: Buffer;
    fields: FieldValues | FieldReader;
    labels: Labels | undefined;
  }) {
    this.key = init.key;
    this.namespace = init.namespace;
    this.name = init.name;
    this.revision = init.revision;
    this.bytes = init.bytes;
    this.#fields = init.fields;
    this.#labels = init.labels ?? noLabels;
    this.#object = undefined;
  }

  get labels(): Labels {
    if (typeof this.#fields === 'function') this.#readRecord(this.#fields);
    return this.#labels;
  }

  get fields(): FieldValues {
    return typeof this.#fields === 'function' ? this.#readRecord(this.#fields) : this.#fields;
  }

  #readRecord(read: FieldReader): FieldValues {
    const object = this.object();
    const fields = read(object);
    this.#fields = fields;
    this.#labels = object.metadata.labels ?? noLabels;
    return fields;
  }

  /** The parsed object, shared and read-only; parsed again when nobody holds it any more. */
  object(): UnknownObject {
    const held = this.#object?.deref();
    if (held !== undefined) return held;
    const parsed = JSON.parse(this.bytes.toString()) as UnknownObject;
    this.#object = new WeakRef(parsed);
    return parsed;
  }

  /**
   * Whether this process made it: what others wrote may hold fields that the kind does not have.
   */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  /** Remembers the object that the bytes were made from; it must carry this revision already. */
  remember(object: UnknownObject): void {
    this.#object = new WeakRef(object);
    this.#isOwn = true;
  }

  /** The same state under another revision. */
  at(revision: number, bytes: Buffer): CacheEntry {
    const { key, namespace, name } = this;
    const record = { fields: this.#fields, labels: this.#labels };
    return new CacheEntry({ key, namespace, name, revision, bytes, ...record });
  }

  /** Byte offset just after the closing brace of `metadata`. */
  metadataEnd(itemOffset: number): number {
    if (this.#metadataEnd === 0) {
      this.#metadataEnd = endOfObject(this.bytes, itemOffset + '"metadata":'.length);
    }
    return this.#metadataEnd;
  }
}

/** Offset after the JSON object that starts at `from`. */
function endOfObject(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) at = endOfString(bytes, at);
    else if (byte === 0x7b) depth++;
    else if (byte === 0x7d && --depth === 0) return at + 1;
  }
  return bytes.length;
}

/** Offset of the quote that closes the string opened at `from`. */
function endOfString(bytes: Buffer, from: number): number {
  let at = from + 1;
  while (bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at;
}
