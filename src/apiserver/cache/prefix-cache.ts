import type { UnknownObject } from '#schema/mod.ts';
import type { KeyValue, StoreEvent } from '#store/mod.ts';
import { AllEntries } from './all-entries.ts';
import type { ByteLayout } from './byte-layout.ts';
import { CacheEntry } from './entry.ts';
import type { CacheEvent } from './event-ring.ts';
import { EventRing } from './event-ring.ts';
import { RecentEntries } from './recent-entries.ts';
import type { FieldReader, FieldValues } from './selectable-fields.ts';
import { createFieldReader } from './selectable-fields.ts';
import type { Selection } from './selection.ts';
import type { SortedEntries } from './sorted-entries.ts';
import { StoredChange } from './stored-change.ts';
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
  /** The objects stay in the store: only the latest changes are in memory. */
  isUncached?: boolean;
}

/** Objects of an uncached kind that are read at the start, to know how large they are. */
const sampledItems = 16;

/**
 * All objects of one kind in memory, in key order, with the latest changes and the watchers of
 * them. Fed by WatchCache in revision order; reads never wait. Of a kind that is not complete it
 * has the latest changes and the watchers only; the rest is asked of the store.
 */
export class PrefixCache {
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly layout: ByteLayout;
  readonly watchers = new WatcherIndex();
  readonly #all: AllEntries | undefined;
  readonly #recent: RecentEntries | undefined;
  #ring: EventRing;
  readonly #options: PrefixCacheOptions;
  readonly #listeners = new Set<(change: CacheEvent) => void>();
  readonly #readFields: FieldReader;
  #isClosed = false;

  constructor(options: PrefixCacheOptions) {
    this.#options = options;
    this.prefix = options.prefix;
    this.namespaced = options.namespaced;
    this.layout = options.layout;
    this.#readFields = createFieldReader(options.selectableFields);
    this.#all = options.isUncached === true ? undefined : new AllEntries(options.namespaced);
    this.#recent = this.#all === undefined ? new RecentEntries() : undefined;
    this.#ring = this.#newRing(0);
  }

  /** Whether all objects are here; of an uncached kind `get` knows those that changed lately. */
  get isComplete(): boolean {
    return this.#recent === undefined;
  }

  /** Objects that there are, here or in the store. */
  get size(): number {
    return (this.#recent ?? this.#all)?.size ?? 0;
  }

  /** Objects that `get` knows. */
  get heldSize(): number {
    return this.#recent?.heldSize ?? this.size;
  }

  /** Mean size of an object, roughly. */
  get averageBytes(): number {
    return (this.#recent ?? this.#all)?.averageBytes() ?? 0;
  }

  /** How many items `load` wants: 0 for all. */
  get loadLimit(): number {
    return this.isComplete ? 0 : sampledItems;
  }

  get ring(): EventRing {
    return this.#ring;
  }

  get(key: string): CacheEntry | undefined {
    return this.#recent === undefined ? this.#all?.get(key) : this.#recent.get(key);
  }

  keyOf(namespace: string, name: string): string {
    return this.namespaced ? `${this.prefix}${namespace}/${name}` : `${this.prefix}${name}`;
  }

  /** Groups that hold entries of `namespace` (all when empty), in key order; see isComplete. */
  groups(namespace: string): readonly SortedEntries[] {
    return this.#all?.groups(namespace) ?? [];
  }

  /**
   * Replaces everything: the first load, or a new one after the feed was lost. Listeners are told
   * the differences, unless the kind is uncached; watchers are ended, because history is missing.
   * Values that cannot be read are left out and reported through `onUnreadable`. `remaining` is
   * the number of objects beyond `items` when only some were asked for.
   */
  load(
    items: readonly KeyValue[],
    revision: number,
    onUnreadable: (key: string, error: unknown) => void = () => undefined,
    remaining = 0,
  ): void {
    const before = this.#all?.clear();
    const sizes = items.map((item) => item.value.length);
    this.#recent?.reset(items.length + remaining, sizes);
    for (const item of this.#all === undefined ? [] : items) {
      try {
        this.#all?.put(this.entryFrom(item.key, item.value, item.modRevision));
      } catch (error) {
        onUnreadable(item.key, error);
      }
    }
    this.#ring = this.#newRing(revision);
    if (this.#all !== undefined && before !== undefined) {
      this.#tellDifferences(before, this.#all, revision);
    }
    this.#endWatchers();
  }

  /** Ends the watchers, and those that were about to begin. */
  close(): void {
    this.#isClosed = true;
    this.#endWatchers();
  }

  #endWatchers(): void {
    for (const watcher of this.watchers.all()) {
      watcher.endReason = 'reset';
      watcher.wake();
    }
  }

  #tellDifferences(
    before: ReadonlyMap<string, CacheEntry>,
    after: AllEntries,
    revision: number,
  ): void {
    if (this.#listeners.size === 0) return;
    const tell = (change: CacheEvent): void => {
      for (const listener of this.#listeners) listener(change);
    };
    for (const [key, entry] of before) {
      if (after.get(key) === undefined) tell({ type: 'DELETED', entry, previous: entry, revision });
    }
    for (const [key, entry] of after.entries()) {
      const previous = before.get(key);
      if (previous?.revision === entry.revision) continue;
      tell({ type: previous === undefined ? 'ADDED' : 'MODIFIED', entry, previous, revision });
    }
  }

  /** Takes over one change; `made` is the entry that this process wrote, if it did. */
  apply(event: StoreEvent, made: CacheEntry | undefined): CacheEvent {
    const change =
      this.#recent === undefined
        ? this.#applyToAll(event, made)
        : this.#applyToRecent(this.#recent, event, made);
    this.#ring.push(change);
    for (const listener of this.#listeners) listener(change);
    return change;
  }

  #applyToAll(event: StoreEvent, made: CacheEntry | undefined): CacheEvent {
    const previous = this.#all?.get(event.key);
    const entry = made ?? this.#entryAfter(event, previous, false);
    const isDelete = event.type === 'delete';
    if (isDelete) this.#all?.remove(entry);
    else this.#all?.put(entry);
    const type = isDelete ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED';
    return { type, entry, previous, revision: event.modRevision };
  }

  #applyToRecent(
    recent: RecentEntries,
    event: StoreEvent,
    made: CacheEntry | undefined,
  ): CacheEvent {
    const type = typeOf(event);
    const known = type === 'ADDED' ? undefined : recent.get(event.key);
    recent.count(event.key, type, event.value.length);
    const entry = made ?? this.#entryAfter(event, known, true);
    const change =
      known === undefined
        ? this.#changeFrom(event, type, entry)
        : { type, entry, previous: known, revision: event.modRevision };
    recent.push(change);
    return change;
  }

  /** A change as the store remembers it, for watches that start before the ring does. */
  pastEvent(event: StoreEvent): CacheEvent {
    const { key, modRevision, previous = Buffer.alloc(0) } = event;
    const isShort = event.value.length === 0 && previous.length > 0;
    const before = isShort ? this.storedEntry(key, previous, modRevision) : undefined;
    return this.#changeFrom(event, typeOf(event), this.#entryAfter(event, before, true));
  }

  /** A change whose state before is what the store says. */
  #changeFrom(event: StoreEvent, type: CacheEvent['type'], entry: CacheEntry): CacheEvent {
    const { key, modRevision: revision, previous } = event;
    if (type === 'ADDED' || previous === undefined || previous.length === 0) {
      return { type, entry, previous: undefined, revision };
    }
    const readPrevious = (): CacheEntry => this.entryFrom(key, previous, revision);
    return new StoredChange({ type, entry, revision, readPrevious });
  }

  #entryAfter(
    event: StoreEvent,
    previous: CacheEntry | undefined,
    isReadLater: boolean,
  ): CacheEntry {
    const { key, value, modRevision } = event;
    // etcd has no last state of a key whose history was compacted
    if (event.type === 'delete' && value.length === 0 && previous !== undefined) {
      const bytes = this.layout.reencode(previous.bytes).bytes(modRevision);
      return previous.at(modRevision, bytes);
    }
    return isReadLater
      ? this.storedEntry(key, value, modRevision)
      : this.entryFrom(key, value, modRevision);
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

  /** As entryFrom, but what is in form already is not parsed before somebody asks for its parts. */
  storedEntry(key: string, value: Buffer, revision: number): CacheEntry {
    if (!this.layout.isInForm(value, revision)) return this.entryFrom(key, value, revision);
    return this.#entry(key, value, revision, this.#readFields, undefined);
  }

  /** An entry for bytes in form and the object that they hold. */
  entryOf(key: string, bytes: Buffer, revision: number, object: UnknownObject): CacheEntry {
    return this.#entry(key, bytes, revision, this.#readFields(object), object.metadata.labels);
  }

  #entry(
    key: string,
    bytes: Buffer,
    revision: number,
    fields: FieldValues | FieldReader,
    labels: Readonly<Record<string, string>> | undefined,
  ): CacheEntry {
    const rest = key.slice(this.prefix.length);
    const slash = this.namespaced ? rest.indexOf('/') : -1;
    const namespace = slash < 0 ? '' : rest.slice(0, slash);
    const name = rest.slice(slash + 1);
    return new CacheEntry({ key, namespace, name, revision, bytes, fields, labels });
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
    if (this.#isClosed) subscription.endReason = 'reset';
    else this.watchers.add(subscription);
    return subscription;
  }

  #newRing(startRevision: number): EventRing {
    const { ringEvents, ringBytes } = this.#options;
    const recent = this.#recent;
    return new EventRing({
      maxEvents: ringEvents,
      maxBytes: ringBytes,
      startRevision,
      ...(recent === undefined ? {} : { onDrop: (event: CacheEvent) => recent.drop(event) }),
    });
  }
}

function typeOf(event: StoreEvent): CacheEvent['type'] {
  if (event.type === 'delete') return 'DELETED';
  return event.createRevision === event.modRevision ? 'ADDED' : 'MODIFIED';
}
