import { Worker } from 'node:worker_threads';
import type { KeyValue, StoreEvent } from '../backend.ts';
import { StoreError } from '../errors.ts';
import { type BackendOptions, LogBackend } from '../log-backend.ts';
import type { CommitDone, LogPage, LogRow, LogStorage } from '../log-storage.ts';
import { packValues, transferOf, unpackValues } from './packed-values.ts';
import {
  type ChangesAnswer,
  isCreateFlag,
  isDeleteFlag,
  type ItemColumns,
  numbersPerRow,
  type Reply,
  type Request,
  type Results,
  type WorkerSettings,
} from './sqlite-messages.ts';

export interface SqliteOptions extends BackendOptions {
  /** The database file; its directory is created when missing. */
  path: string;
  /** How long a commit waits when another program holds the file's write lock; 5 seconds. */
  busyTimeoutMs?: number;
}

/**
 * The datastore of a single server: kine's table in an SQLite file, owned by a worker thread.
 * Rejects with `Unavailable` and a message for the user when the file cannot be used.
 */
export async function openSqlite(options: SqliteOptions): Promise<LogBackend> {
  const { path, busyTimeoutMs = 5000 } = options;
  const storage = new SqliteStorage({ path, busyTimeoutMs });
  const state = await storage.opened;
  const backend = new LogBackend(storage, state, options);
  storage.onLost = (error) => {
    options.log.error(error.message);
    backend.fail(error);
  };
  return backend;
}

type Answer = (error: StoreError | undefined, result: unknown) => void;
type RequestBody = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** The main thread's end. Answers run in the order of requests, except that of a compaction. */
class SqliteStorage implements LogStorage {
  readonly opened: Promise<Results['open']>;
  onLost: ((error: StoreError) => void) | undefined;
  readonly #worker: Worker;
  readonly #answers = new Map<number, Answer>();
  #nextId = 1;
  #lost: StoreError | undefined;
  #isClosing = false;

  constructor(settings: WorkerSettings) {
    this.#worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      workerData: settings,
      name: 'k3ts-store',
    });
    this.opened = new Promise((resolve, reject) => {
      this.#answers.set(0, (error, result) => {
        if (error === undefined) resolve(result as Results['open']);
        else reject(error);
      });
    });
    this.#worker.on('message', (message: Reply) => this.#receive(message));
    this.#worker.on('error', (error: Error) => this.#lose(error.message));
    this.#worker.on('exit', () => this.#lose('its thread ended'));
  }

  commit(rows: readonly LogRow[], wantPrevious: boolean, done: CommitDone): void {
    const numbers = new Float64Array(rows.length * numbersPerRow);
    let at = 0;
    for (const row of rows) {
      numbers[at++] = row.revision;
      numbers[at++] = row.createRevision;
      numbers[at++] = row.prevRevision;
      numbers[at++] = row.lease;
      numbers[at++] = (row.isCreate ? isCreateFlag : 0) | (row.isDelete ? isDeleteFlag : 0);
    }
    const keys = rows.map((row) => row.key);
    const values = packValues(rows.map((row) => row.value));
    this.#send(
      { op: 'commit', keys, numbers, values, wantPrevious },
      (error, result) => {
        const previous = result as Results['commit'];
        done(error, previous === undefined ? undefined : unpackValues(previous));
      },
      [numbers.buffer, ...transferOf(values)],
    );
  }

  async values(revisions: Float64Array): Promise<Buffer[]> {
    if (revisions.length === 0) return [];
    const packed = await this.#ask<'values'>({ op: 'values', revisions });
    return unpackValues(packed) as Buffer[];
  }

  async getAt(key: string, revision: number): Promise<KeyValue | undefined> {
    return itemsOf(await this.#ask<'get'>({ op: 'get', key, revision }))[0];
  }

  async listAt(
    prefix: string,
    after: string,
    revision: number,
    limit: number,
  ): Promise<{ items: KeyValue[]; remaining: number }> {
    const answer = await this.#ask<'list'>({ op: 'list', prefix, after, revision, limit });
    return { items: itemsOf(answer), remaining: answer.remaining };
  }

  changes(prefix: string, after: number, done: (result: LogPage | Error) => void): void {
    this.#send({ op: 'changes', prefix, after }, (error, result) => {
      if (error !== undefined) {
        done(error);
        return;
      }
      const answer = result as Results['changes'];
      done({ events: eventsOf(answer), through: answer.through });
    });
  }

  async compact(revision: number): Promise<void> {
    await this.#ask<'compact'>({ op: 'compact', revision });
  }

  async sizeBytes(): Promise<number> {
    return await this.#ask<'size'>({ op: 'size' });
  }

  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#isClosing = true;
    await this.#ask<'close'>({ op: 'close' });
    await exited;
  }

  #ask<Op extends keyof Results>(body: RequestBody): Promise<Results[Op]> {
    return new Promise((resolve, reject) => {
      this.#send(body, (error, result) => {
        if (error === undefined) resolve(result as Results[Op]);
        else reject(error);
      });
    });
  }

  #send(body: RequestBody, answer: Answer, transfer: ArrayBuffer[] = []): void {
    if (this.#lost !== undefined) {
      const error = this.#lost;
      setImmediate(() => answer(error, undefined));
      return;
    }
    const id = this.#nextId++;
    this.#answers.set(id, answer);
    this.#worker.postMessage({ ...body, id }, transfer);
  }

  #receive(message: Reply): void {
    const answer = this.#answers.get(message.id)!;
    this.#answers.delete(message.id);
    if (message.error === undefined) answer(undefined, message.result);
    else answer(new StoreError('Unavailable', message.error), undefined);
  }

  /** The thread is gone: nobody knows what of the last commit is durable, so nothing goes on. */
  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = this.#isClosing
      ? new StoreError('Closed', 'The datastore is closed')
      : new StoreError('Unavailable', `The datastore was lost: ${reason}; restart k3ts`);
    const waiting = [...this.#answers.values()];
    this.#answers.clear();
    for (const answer of waiting) answer(this.#lost, undefined);
    if (!this.#isClosing) this.onLost?.(this.#lost);
  }
}

function itemsOf(columns: ItemColumns): KeyValue[] {
  const values = unpackValues(columns.values);
  return columns.keys.map((key, i) => ({
    key,
    value: values[i]!,
    createRevision: columns.createRevisions[i]!,
    modRevision: columns.modRevisions[i]!,
  }));
}

function eventsOf(answer: ChangesAnswer): StoreEvent[] {
  const previous = unpackValues(answer.previous);
  return itemsOf(answer).map((item, i) => ({
    ...item,
    type: (answer.flags[i]! & isDeleteFlag) !== 0 ? 'delete' : 'put',
    previous: previous[i],
  }));
}
