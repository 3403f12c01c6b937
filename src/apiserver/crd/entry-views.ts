import type { UnknownObject } from '#schema/mod.ts';
import { groupVersion } from '#schema/mod.ts';
import type { CacheEntry } from '../cache/mod.ts';
import { ByteLayout } from '../cache/mod.ts';
import { plainError } from '../api-errors.ts';
import { messageOf } from '#base/errors.ts';
import type { VersionConverter } from './convert.ts';
import { renamed } from './convert.ts';

/** How an entry looks in one version. */
type View =
  /** Its own bytes. */
  | { readonly kind: 'same' }
  /** Its own content under another apiVersion. */
  | { readonly kind: 'renamed' }
  | { readonly kind: 'changed'; readonly bytes: Buffer; object: WeakRef<UnknownObject> };

const same: View = { kind: 'same' };
const another: View = { kind: 'renamed' };

/**
 * The stored objects of a kind as one version shows them: converted, without fields that the schema
 * does not know, with its defaults. A view is made once and lives as long as its entry; only one
 * that differs from what is stored takes memory.
 */
export class EntryViews {
  readonly #apiVersion: string;
  readonly #layout: ByteLayout;
  readonly #converter: VersionConverter;
  readonly #polish: (object: UnknownObject) => UnknownObject;
  readonly #views = new WeakMap<CacheEntry, View>();
  readonly #pending = new WeakMap<CacheEntry, Promise<void>>();

  constructor(options: {
    of: { group: string; version: string; kind: string };
    converter: VersionConverter;
    /** Brings a converted object into form; returns it itself when it is. */
    polish: (object: UnknownObject) => UnknownObject;
  }) {
    this.#apiVersion = groupVersion(options.of);
    this.#layout = new ByteLayout(options.of);
    this.#converter = options.converter;
    this.#polish = options.polish;
  }

  /** Converts what has to be; undefined when there is nothing to wait for. */
  prepare(entries: readonly CacheEntry[]): Promise<void> | undefined {
    if (this.#converter.isTrivial) return undefined;
    const missing = entries.filter((entry) => !this.#views.has(entry));
    const foreign = missing.filter((entry) => entry.object().apiVersion !== this.#apiVersion);
    if (foreign.length === 0) return undefined;
    // what another reader waits for is not asked for again
    const pending = new Set(foreign.flatMap((entry) => this.#pending.get(entry) ?? []));
    const fresh = foreign.filter((entry) => !this.#pending.has(entry));
    if (fresh.length > 0) pending.add(this.#start(fresh));
    return Promise.all(pending).then(() => undefined);
  }

  #start(entries: readonly CacheEntry[]): Promise<void> {
    const work = this.#convert(entries).finally(() => {
      for (const entry of entries) this.#pending.delete(entry);
    });
    for (const entry of entries) this.#pending.set(entry, work);
    return work;
  }

  async #convert(entries: readonly CacheEntry[]): Promise<void> {
    const stored = entries.map((entry) => entry.object());
    let converted: readonly UnknownObject[];
    try {
      converted = await this.#converter.convert(stored, this.#apiVersion);
    } catch (error) {
      throw plainError(messageOf(error), error);
    }
    entries.forEach((entry, index) => {
      const object = this.#polish(converted[index] as UnknownObject);
      this.#views.set(entry, this.#changed(entry, object));
    });
  }

  /** Whether the entry is stored in this version, exactly as it would be shown. */
  isSame(entry: CacheEntry): boolean {
    return this.#viewOf(entry).kind === 'same';
  }

  objectOf(entry: CacheEntry): UnknownObject {
    const view = this.#viewOf(entry);
    if (view.kind === 'same') return entry.object();
    if (view.kind === 'renamed') return renamed(entry.object(), this.#apiVersion);
    const held = view.object.deref();
    if (held !== undefined) return held;
    const parsed = JSON.parse(view.bytes.toString()) as UnknownObject;
    view.object = new WeakRef(parsed);
    return parsed;
  }

  bytesOf(entry: CacheEntry): Buffer {
    const view = this.#viewOf(entry);
    if (view.kind === 'same') return entry.bytes;
    if (view.kind === 'changed') return view.bytes;
    return this.#layout.encode(entry.object()).bytes(entry.revision);
  }

  /** An entry that was never prepared is shown as if versions differed in nothing but the name. */
  #viewOf(entry: CacheEntry): View {
    let view = this.#views.get(entry);
    if (view === undefined) {
      view = this.#make(entry);
      this.#views.set(entry, view);
    }
    return view;
  }

  #make(entry: CacheEntry): View {
    const stored = entry.object();
    const converted = renamed(stored, this.#apiVersion);
    const object = this.#polish(converted);
    if (object !== converted) return this.#changed(entry, object);
    return converted === stored ? same : another;
  }

  #changed(entry: CacheEntry, object: UnknownObject): View {
    const bytes = this.#layout.encode(object).bytes(entry.revision);
    return { kind: 'changed', bytes, object: new WeakRef(object) };
  }
}
