import type { UnknownObject } from '#schema/mod.ts';
import type { KeyValue, StoreEvent } from '#store/mod.ts';
import type { ByteLayout } from './byte-layout.ts';
import { CacheEntry } from './entry.ts';
import type { CacheEvent } from './event-ring.ts';
import { EventRing } from './event-ring.ts';
import type { FieldValues } from './selectable-fields.ts';
import { createFieldReader } from './selectable-fields.ts';
import type { Selection } from './selection.ts';
import { SortedEntries } from './sorted-entries.ts';
import { Subscription } from './subscription.ts';
import { triggerOf, WatcherIndex } from './watcher-index.ts';

export interface PrefixCacheOptions {
  /** Key prefix with the trailing slash. */
  prefix: string;
  namespaced: boolean;
  layout: ByteLayout;
  selectableFields: readonly string[];
  /** Reads a value that is not JSON (protobuf of an older server); throws when it cannot. */
  decodeForeign: (value: Buffer) => UnknownObject;
  ringEvents: number;
  ringBytes: number;
}

/**
 * All objects of one kind in memory, in key order, with the latest changes and the watchers of
 * them. Fed by WatchCache in revision order; reads never wait.
 */
export class PrefixCache {
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly layout: ByteLayout;
  readonly watchers = new WatcherIndex();
  readonly #byKey = new Map<string, CacheEntry>();
  readonly #namespaces = new Map<string, SortedEntries>();
  /** The values of #namespaces in key order. */
  #ordered: SortedEntries[] = [];
  #ring: EventRing;
  readonly #options: PrefixCacheOptions;
  readonly #listeners = new Set<(change: CacheEvent) => void>();
  readonly #readFields: (object: UnknownObject) => FieldValues;

  constructor(options: PrefixCacheOptions) {
    this.#options = options;
    this.prefix = options.prefix;
    this.namespaced = options.namespaced;
    this.layout = options.layout;
    this.#readFields = createFieldReader(options.selectableFields);
    this.#ring = this.#newRing(0);
  }

  get size(): number {
    return this.#byKey.size;
  }

  get ring(): EventRing {
    return this.#ring;
  }

  get(key: string): CacheEntry | undefined {
    return this.#byKey.get(key);
  }

  keyOf(namespace: string, name: string): string {
    return this.namespaced ? `${this.prefix}${namespace}/${name}` : `${this.prefix}${name}`;
  }

  /** Groups that hold entries of `namespace` (all when empty), in key order. */
  groups(namespace: string): readonly SortedEntries[] {
    if (namespace === '' || !this.namespaced) return this.#ordered;
    const group = this.#namespaces.get(namespace);
    return group === undefined ? [] : [group];
  }

  /**
   * Replaces everything: the first load, or a new one after the feed was lost. Listeners are told
   * the differences; watchers are ended, because history is missing. Values that cannot be read
   * are left out and reported through `onUnreadable`.
   */
  load(
    items: readonly KeyValue[],
    revision: number,
    onUnreadable: (key: string, error: unknown) => void = () => undefined,
  ): void {
    const before = new Map(this.#byKey);
    this.#byKey.clear();
    this.#namespaces.clear();
    this.#ordered = [];
    for (const item of items) {
      try {
        this.#put(this.entryFrom(item.key, item.value, item.modRevision));
      } catch (error) {
        onUnreadable(item.key, error);
      }
    }
    this.#ring = this.#newRing(revision);
    this.#tellDifferences(before, revision);
    for (const watcher of this.watchers.all()) {
      watcher.endReason = 'reset';
      watcher.wake();
    }
  }

  #tellDifferences(before: ReadonlyMap<string, CacheEntry>, revision: number): void {
    if (this.#listeners.size === 0) return;
    const tell = (change: CacheEvent): void => {
      for (const listener of this.#listeners) listener(change);
    };
    for (const [key, entry] of before) {
      if (!this.#byKey.has(key)) tell({ type: 'DELETED', entry, previous: entry, revision });
    }
    for (const [key, entry] of this.#byKey) {
      const previous = before.get(key);
      if (previous?.revision === entry.revision) continue;
      tell({ type: previous === undefined ? 'ADDED' : 'MODIFIED', entry, previous, revision });
    }
  }

  /** Takes over one change; `made` is the entry that this process wrote, if it did. */
  apply(event: StoreEvent, made: CacheEntry | undefined): CacheEvent {
    const { key, modRevision } = event;
    const previous = this.#byKey.get(key);
    const entry = made ?? this.#entryAfter(event, previous);
    const isDelete = event.type === 'delete';
    if (isDelete) this.#remove(entry);
    else this.#put(entry);
    const type = isDelete ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED';
    const change: CacheEvent = { type, entry, previous, revision: modRevision };
    this.#ring.push(change);
    for (const listener of this.#listeners) listener(change);
    return change;
  }

  /** A change as the store remembers it, for watches that start before the ring does. */
  pastEvent(event: StoreEvent): CacheEvent {
    const { key, modRevision, previous } = event;
    const before =
      previous === undefined || previous.length === 0
        ? undefined
        : this.entryFrom(key, previous, modRevision);
    const entry = this.#entryAfter(event, before);
    const isDelete = event.type === 'delete';
    const type = isDelete ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED';
    return { type, entry, previous: before, revision: modRevision };
  }

  #entryAfter(event: StoreEvent, previous: CacheEntry | undefined): CacheEntry {
    const { key, value, modRevision } = event;
    // etcd has no last state of a key whose history was compacted
    if (event.type === 'delete' && value.length === 0 && previous !== undefined) {
      const bytes = this.layout.reencode(previous.bytes).bytes(modRevision);
      return previous.at(modRevision, bytes);
    }
    return this.entryFrom(key, value, modRevision);
  }

  /** Calls `listener` after each change, at once and in order; it must not throw. */
  onChange(listener: (change: CacheEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** An entry for bytes as the store holds them, whoever wrote them. */
  entryFrom(key: string, value: Buffer, revision: number): CacheEntry {
    const isJson = value[0] === 0x7b;
    const object = isJson
      ? (JSON.parse(value.toString()) as UnknownObject)
      : this.#options.decodeForeign(value);
    const { layout } = this;
    if (isJson && layout.isInForm(value, revision)) {
      return this.entryOf(key, value, revision, object);
    }
    const bytes = isJson ? layout.withRevision(value, object, revision) : undefined;
    const encoded = bytes ?? layout.encode(object).bytes(revision);
    return this.entryOf(key, encoded, revision, object);
  }

  /** An entry for bytes in form and the object that they hold. */
  entryOf(key: string, bytes: Buffer, revision: number, object: UnknownObject): CacheEntry {
    const rest = key.slice(this.prefix.length);
    const slash = this.namespaced ? rest.indexOf('/') : -1;
    return new CacheEntry({
      key,
      namespace: slash < 0 ? '' : rest.slice(0, slash),
      name: rest.slice(slash + 1),
      revision,
      bytes,
      fields: this.#readFields(object),
      labels: object.metadata.labels,
    });
  }

  /**
   * Starts a watch of the changes after `revision`, or from now on without one. Undefined when the
   * ring no longer reaches back that far. `backlog` is handed out first: what happened before.
   */
  subscribe(
    selection: Selection,
    revision: number | undefined,
    wake: () => void,
    backlog: readonly CacheEvent[] = [],
  ): Subscription | undefined {
    const ring = this.#ring;
    if (revision !== undefined && revision < ring.lowestRevision) return undefined;
    const subscription = new Subscription({
      ring,
      selection,
      trigger: triggerOf(selection),
      sequence: revision === undefined ? ring.nextSequence : ring.sequenceAfter(revision),
      after: revision ?? 0,
      backlog,
      wake,
    });
    this.watchers.add(subscription);
    return subscription;
  }

  #newRing(startRevision: number): EventRing {
    const { ringEvents, ringBytes } = this.#options;
    return new EventRing({ maxEvents: ringEvents, maxBytes: ringBytes, startRevision });
  }

  #put(entry: CacheEntry): void {
    this.#byKey.set(entry.key, entry);
    let group = this.#namespaces.get(entry.namespace);
    if (group === undefined) {
      group = new SortedEntries(entry.namespace);
      this.#namespaces.set(entry.namespace, group);
      this.#ordered.push(group);
      this.#ordered.sort((a, b) => (a.orderKey < b.orderKey ? -1 : 1));
    }
    group.put(entry);
  }

  #remove(entry: CacheEntry): void {
    if (!this.#byKey.delete(entry.key)) return;
    const group = this.#namespaces.get(entry.namespace);
    if (group === undefined) return;
    group.delete(entry.name);
    if (group.items.length > 0) return;
    this.#namespaces.delete(entry.namespace);
    this.#ordered.splice(this.#ordered.indexOf(group), 1);
  }
}
