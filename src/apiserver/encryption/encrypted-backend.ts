import { messageOf } from '#base/errors.ts';
import { catalog } from '#schema/mod.ts';
import type {
  Backend,
  Encode,
  HistoryOptions,
  KeyValue,
  ListOptions,
  ListResult,
  PageOptions,
  StoreEvent,
  StoreWatch,
  WatchHandler,
  WriteOptions,
} from '#store/mod.ts';
import { StoreError } from '#store/mod.ts';

import type { EncryptionRules } from './config.ts';
import type { Transformer } from './transformer.ts';
import { isSealed, prefixOf } from './transformer.ts';

/** What the API server has to know of values that are not stored as they are. */
export interface EncryptionState {
  /** Why the value of this key cannot be read, in upstream's words; undefined when it can. */
  problemOf(key: string): string | undefined;
  /** The first such problem among the keys that start with `prefix`. */
  problemUnder(prefix: string): string | undefined;
  /** Whether the stored value is not in the form that a write would give it now. */
  isStale(key: string): boolean;
}

/**
 * A Backend whose values are sealed for the kinds that the rules name: what is above it sees plain
 * values only. A value that cannot be opened is handed on as it is stored and remembered as a
 * problem; other keys are not affected. Kinds without a rule cost a look at one byte.
 */
export class EncryptedBackend implements Backend, EncryptionState {
  readonly #inner: Backend;
  #rules: EncryptionRules;
  readonly #problems = new Map<string, string>();
  /** Prefix of the stored value of each key that has a rule. */
  readonly #prefixes = new Map<string, string>();
  readonly #kinds = new Map<string, { group: string; resource: string }>();
  /** Values that this process sealed, so that it need not open them again. */
  readonly #plain = new WeakMap<Buffer, Buffer>();

  constructor(options: { backend: Backend; rules: EncryptionRules }) {
    this.#inner = options.backend;
    this.#rules = options.rules;
    for (const { storagePrefix, group, resource } of catalog.all) {
      // Events are of two groups: the rules name them by the one that they are stored as, the first
      if (storagePrefix === '' || this.#kinds.has(storagePrefix)) continue;
      this.#kinds.set(storagePrefix, { group, resource });
    }
  }

  /** Values are written and read by these rules from now on. */
  setRules(rules: EncryptionRules): void {
    this.#rules = rules;
  }

  get currentRevision(): number {
    return this.#inner.currentRevision;
  }

  get compactRevision(): number {
    return this.#inner.compactRevision;
  }

  get exclusive(): boolean {
    return this.#inner.exclusive;
  }

  problemOf(key: string): string | undefined {
    return this.#problems.get(key);
  }

  problemUnder(prefix: string): string | undefined {
    if (this.#problems.size === 0) return undefined;
    for (const [key, problem] of this.#problems) if (key.startsWith(prefix)) return problem;
    return undefined;
  }

  isStale(key: string): boolean {
    const transformer = this.#transformerOf(key);
    const stored = this.#prefixes.get(key) ?? '';
    return stored !== (transformer?.form ?? transformer?.prefix ?? '');
  }

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    const found = await this.#inner.get(key, revision);
    if (found === undefined) return undefined;
    await this.#prepared([found]);
    return this.#opened(found);
  }

  async list(prefix: string, options?: ListOptions): Promise<ListResult> {
    const result = await this.#inner.list(prefix, options);
    await this.#prepared(result.items);
    return { ...result, items: result.items.map((item) => this.#opened(item)) };
  }

  async *pages(prefix: string, options: PageOptions): AsyncGenerator<ListResult> {
    for await (const page of this.#inner.pages(prefix, options)) {
      await this.#prepared(page.items);
      // what a past state was sealed with says nothing about the value that is there now
      const isPast = options.revision !== undefined;
      const open = (item: KeyValue): KeyValue =>
        isPast ? { ...item, value: this.#peek(item.key, item.value) } : this.#opened(item);
      yield { ...page, items: page.items.map(open) };
    }
  }

  count(prefix: string): Promise<number> {
    return this.#inner.count(prefix);
  }

  async create(key: string, encode: Encode, options?: WriteOptions): Promise<KeyValue> {
    const transformer = this.#transformerOf(key);
    if (transformer === undefined) return await this.#inner.create(key, encode, options);
    checkWritable(transformer);
    return await this.#write(key, () =>
      this.#inner.create(key, this.#sealing(transformer, key, encode), options),
    );
  }

  async update(
    key: string,
    expected: number,
    encode: Encode,
    options?: WriteOptions,
  ): Promise<KeyValue> {
    const transformer = this.#transformerOf(key);
    checkWritable(transformer);
    const write =
      transformer === undefined
        ? () => this.#inner.update(key, expected, encode, options)
        : () => this.#inner.update(key, expected, this.#sealing(transformer, key, encode), options);
    return await this.#write(key, write);
  }

  async delete(key: string, expected: number, encode: Encode): Promise<KeyValue> {
    const transformer = this.#transformerOf(key);
    checkWritable(transformer);
    const write =
      transformer === undefined
        ? () => this.#inner.delete(key, expected, encode)
        : () => this.#inner.delete(key, expected, this.#sealing(transformer, key, encode));
    return await this.#write(key, write);
  }

  watch(prefix: string, after: number, handler: WatchHandler): StoreWatch {
    // in order also when some have to wait for their keys
    let waiting: Promise<void> | undefined;
    return this.#inner.watch(prefix, after, {
      onEvents: (events) => {
        const ready = this.#prepared(events);
        const deliver = (): void =>
          handler.onEvents(events.map((event) => this.#openedEvent(event)));
        if (waiting === undefined && ready === undefined) {
          deliver();
          return;
        }
        const own = (waiting ?? Promise.resolve())
          .then(() => ready)
          .then(deliver)
          .finally(() => {
            if (waiting === own) waiting = undefined;
          });
        waiting = own;
      },
      onError: (error) => handler.onError(error),
    });
  }

  newestRevision(): Promise<number> {
    return this.#inner.newestRevision();
  }

  async history(
    prefix: string,
    options: HistoryOptions,
  ): Promise<readonly StoreEvent[] | undefined> {
    const events = await this.#inner.history(prefix, options);
    if (events !== undefined) await this.#prepared(events);
    return events?.map((event) => {
      const { key, previous } = event;
      const value = this.#peek(key, event.value);
      const before = previous === undefined ? undefined : this.#peek(key, previous);
      return value === event.value && before === previous
        ? event
        : { ...event, value, previous: before };
    });
  }

  compact(revision: number): Promise<void> {
    return this.#inner.compact(revision);
  }

  sizeBytes(): Promise<number> {
    return this.#inner.sizeBytes();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** The answer and refusals carry stored values. */
  async #write(key: string, write: () => Promise<KeyValue>): Promise<KeyValue> {
    try {
      const written = await write();
      await this.#prepared([written]);
      return this.#opened(written);
    } catch (error) {
      if (!(error instanceof StoreError) || error.current === undefined) throw error;
      await this.#prepared([error.current]);
      const current = this.#opened(error.current);
      if (current === error.current) throw error;
      throw new StoreError(error.code, error.message, { current, cause: error });
    }
  }

  /** Waits for the keys of values that need some; undefined when there are none. */
  #prepared(
    items: readonly { key: string; value: Buffer; previous?: Buffer | undefined }[],
  ): Promise<unknown> | undefined {
    const waits: Promise<void>[] = [];
    for (const { key, value, previous } of items) {
      for (const stored of [value, previous]) {
        if (stored === undefined || !isSealed(stored) || this.#plain.has(stored)) continue;
        const wait = this.#transformerOf(key)?.prepare?.(stored);
        if (wait !== undefined) waits.push(wait);
      }
    }
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  #opened(item: KeyValue): KeyValue {
    const value = this.#open(item.key, item.value);
    return value === item.value ? item : { ...item, value };
  }

  #openedEvent(event: StoreEvent): StoreEvent {
    const { key, previous } = event;
    const value = this.#open(key, event.value);
    const isPlain = value === event.value && (previous === undefined || !isSealed(previous));
    if (event.type === 'delete') {
      this.#problems.delete(key);
      this.#prefixes.delete(key);
    }
    if (isPlain) return event;
    return {
      ...event,
      value,
      previous: previous === undefined ? undefined : this.#peek(key, previous),
    };
  }

  #open(key: string, stored: Buffer): Buffer {
    const sealed = isSealed(stored);
    if (!sealed && this.#prefixes.size === 0 && this.#transformerOf(key) === undefined) {
      return stored;
    }
    const transformer = this.#transformerOf(key);
    if (!sealed) {
      if (transformer !== undefined || this.#prefixes.has(key)) this.#prefixes.set(key, '');
      this.#problems.delete(key);
      return stored;
    }
    this.#prefixes.set(key, transformer?.formOf?.(stored) ?? prefixOf(stored));
    try {
      if (transformer === undefined) {
        throw new Error('identity transformer tried to read encrypted data');
      }
      const value = this.#plain.get(stored) ?? transformer.open(stored, key);
      this.#problems.delete(key);
      return value;
    } catch (error) {
      const shown = `unable to transform key ${JSON.stringify(key)}: ${messageOf(error)}`;
      this.#problems.set(key, shown);
      return stored;
    }
  }

  /** The plain value without consequences; the stored one when it cannot be opened. */
  #peek(key: string, stored: Buffer): Buffer {
    if (!isSealed(stored)) return stored;
    try {
      return this.#transformerOf(key)?.open(stored, key) ?? stored;
    } catch {
      // a state that is past: the problem is told where the value is wanted
      return stored;
    }
  }

  #transformerOf(key: string): Transformer | undefined {
    const kind = this.#kindOf(key);
    return kind === undefined ? undefined : this.#rules.transformerOf(kind.group, kind.resource);
  }

  /** Built-in kinds by their prefix; others are custom: /registry/<group>/<resource>/… */
  #kindOf(key: string): { group: string; resource: string } | undefined {
    const second = key.indexOf('/', key.indexOf('/', 1) + 1);
    const third = key.indexOf('/', second + 1);
    const short = this.#kinds.get(key.slice(0, second + 1));
    if (short !== undefined) return short;
    if (third < 0) return undefined;
    const prefix = key.slice(0, third + 1);
    const known = this.#kinds.get(prefix);
    if (known !== undefined) return known;
    const [, , group = '', resource = ''] = prefix.split('/');
    if (!group.includes('.')) return undefined;
    const kind = { group, resource };
    this.#kinds.set(prefix, kind);
    return kind;
  }

  #sealing(transformer: Transformer, key: string, encode: Encode): Encode {
    return (revision) => {
      const value = encode(revision);
      const sealed = transformer.seal(value, key);
      this.#plain.set(sealed, value);
      return sealed;
    };
  }
}

/** A value that cannot be sealed is refused before it is given a revision. */
function checkWritable(transformer: Transformer | undefined): void {
  transformer?.checkWritable?.();
}
