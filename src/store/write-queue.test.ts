import assert from 'node:assert/strict';
import { it } from 'node:test';
import { encoded } from './contract-tools.ts';
import { HeadIndex } from './head-index.ts';
import type { CommitDone, LogRow, LogStorage } from './log-storage.ts';
import { WriteQueue, type WriteRequest } from './write-queue.ts';

interface Commit {
  rows: readonly LogRow[];
  done: CommitDone;
}

/** A queue over a storage whose commits end when the test says so. */
function setup() {
  const commits: Commit[] = [];
  const storage = {
    commit: (rows, _wantPrevious, done) => void commits.push({ rows, done }),
    values: async (revisions) => Array.from(revisions, (each) => Buffer.from(`at ${each}`)),
  } satisfies Partial<LogStorage> as unknown as LogStorage;
  const none = new Float64Array();
  const columns = { modRevisions: none, createRevisions: none, leases: none };
  const heads = new HeadIndex({ keys: [], ...columns, deleted: new Uint8Array() });
  const published: number[] = [];
  const queue = new WriteQueue({
    heads,
    storage,
    currentRevision: 10,
    wantsPrevious: () => false,
    onCommitted: (writes) => published.push(...writes.map((write) => write.revision)),
  });
  const request = (kind: WriteRequest['kind'], key: string, expected = 0): WriteRequest => ({
    kind,
    key,
    expected,
    encode: encoded(kind),
    lease: 0,
  });
  const submit = (kind: WriteRequest['kind'], key: string, expected?: number) =>
    queue.submit(request(kind, key, expected)).then(
      (item) => item.modRevision,
      (error: { code: string }) => error.code,
    );
  return { queue, heads, commits, published, request, submit };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('puts all writes that arrive during a commit into the next one', async () => {
  const { commits, submit, published, queue } = setup();
  const results = [submit('create', '/a')];
  await turn();
  results.push(submit('create', '/b'), submit('update', '/a', 11));
  await turn();
  assert.equal(commits.length, 1);
  commits[0]!.done(undefined, undefined);
  assert.deepEqual(
    commits.map((commit) => commit.rows.map((row) => [row.key, row.revision, row.prevRevision])),
    [
      [['/a', 11, 0]],
      [
        ['/b', 12, 0],
        ['/a', 13, 11],
      ],
    ],
  );
  assert.deepEqual(published, [11]);
  assert.equal(queue.durableRevision, 11);
  commits[1]!.done(undefined, undefined);
  assert.deepEqual(await Promise.all(results), [11, 12, 13]);
});

it('answers a conflict with a pending write only when that one is durable', async () => {
  const { commits, submit } = setup();
  const first = submit('create', '/a');
  const second = submit('create', '/a');
  let isAnswered = false;
  void second.then(() => (isAnswered = true));
  await turn();
  assert.equal(isAnswered, false);
  commits[0]!.done(undefined, undefined);
  assert.deepEqual(await Promise.all([first, second]), [11, 'KeyExists']);
});

it('tries a conflicting write again when the pending one fails', async () => {
  const { commits, submit, heads } = setup();
  const first = submit('create', '/a');
  await turn();
  const stacked = submit('update', '/a', 11);
  const conflicting = submit('create', '/a');
  commits[0]!.done(new Error('no space left'), undefined);
  assert.deepEqual(await Promise.all([first, stacked]), ['Unavailable', 'Unavailable']);
  assert.equal(heads.get('/a'), undefined);
  await turn();
  commits[1]!.done(undefined, undefined);
  assert.equal(await conflicting, 11);
  assert.equal(heads.get('/a')!.modRevision, 11);
});

it('does not use up a revision when encoding fails', async () => {
  const { queue, commits, submit, request } = setup();
  const encode = (): Buffer => {
    throw new Error('cannot encode');
  };
  await assert.rejects(queue.submit({ ...request('create', '/a'), encode }), /cannot encode/);
  const next = submit('create', '/b');
  await turn();
  commits[0]!.done(undefined, undefined);
  assert.equal(await next, 11);
});

it('refuses writes above its bound', async () => {
  const { submit, commits } = setup();
  const results = Array.from({ length: 20_001 }, (_, i) => submit('create', `/${i}`));
  assert.equal(await results.at(-1), 'Unavailable');
  await turn();
  for (let i = 0; i < commits.length; i++) commits[i]!.done(undefined, undefined);
  assert.equal((await Promise.all(results)).filter((each) => each === 'Unavailable').length, 1);
});
