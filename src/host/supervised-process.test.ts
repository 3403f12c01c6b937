import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { isProcessAlive } from './process.ts';
import { spawnSupervised, type ProcessExit } from './supervised-process.ts';

const log = silentLogger;

/** Exits of the process, to be awaited one by one. */
function exitQueue(): { onExit: (exit: ProcessExit) => void; next: () => Promise<ProcessExit> } {
  const arrived: ProcessExit[] = [];
  const waiting: ((exit: ProcessExit) => void)[] = [];
  return {
    onExit: (exit) => {
      const waiter = waiting.shift();
      if (waiter === undefined) arrived.push(exit);
      else waiter(exit);
    },
    next: () => {
      const exit = arrived.shift();
      if (exit !== undefined) return Promise.resolve(exit);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

test('restarts a failing process with a back-off that doubles', async () => {
  const clock = new FakeClock();
  const exits = exitQueue();
  let starts = 0;
  const supervised = spawnSupervised({
    name: 'failing',
    command: 'sh',
    args: ['-c', 'exit 7'],
    clock,
    log,
    output: { onData: () => undefined },
    restart: 'always',
    backoff: { initialMs: 100, maxMs: 300, resetAfterMs: 60_000 },
    onStart: () => (starts += 1),
    onExit: exits.onExit,
  });
  for (const delayMs of [100, 200, 300, 300]) {
    assert.equal((await exits.next()).exitCode, 7);
    const before = starts;
    await clock.advance(delayMs - 1);
    assert.equal(starts, before);
    await clock.advance(1);
    assert.equal(starts, before + 1);
  }
  await exits.next();
  await supervised.stop();
  await supervised.done;
});

test('leaves a process alone that ended well under on-failure', async () => {
  const supervised = spawnSupervised({
    name: 'done',
    command: 'true',
    args: [],
    clock: new FakeClock(),
    log,
    output: { onData: () => undefined },
    restart: 'on-failure',
  });
  assert.equal((await supervised.done).exitCode, 0);
});

test('reports a command that cannot be started', async () => {
  const supervised = spawnSupervised({
    name: 'absent',
    command: '/nonexistent/tool',
    args: [],
    clock: new FakeClock(),
    log,
    output: { onData: () => undefined },
    restart: 'never',
  });
  assert.match((await supervised.done).error?.message ?? '', /ENOENT/);
});

test('stops a process with SIGTERM and one that ignores it with SIGKILL', async () => {
  const clock = new FakeClock();
  const ready = Promise.withResolvers<void>();
  const supervised = spawnSupervised({
    name: 'stubborn',
    command: 'sh',
    args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'],
    clock,
    log,
    output: { onData: () => ready.resolve() },
    restart: 'always',
    stopTimeoutMs: 5000,
  });
  await ready.promise;
  const stopping = supervised.stop();
  await clock.advance(5000);
  await stopping;
  assert.equal((await supervised.done).signal, 'SIGKILL');
});

test('lets a process that survives its parent write its own log', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-supervised-'));
  context.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'out.log');
  const supervised = spawnSupervised({
    name: 'survivor',
    command: 'sh',
    args: ['-c', 'echo line'],
    clock: new FakeClock(),
    log,
    output: { file },
    survivesParent: true,
    restart: 'never',
  });
  await supervised.done;
  assert.equal(await readFile(file, 'utf8'), 'line\n');
});

test('releases a process without ending it', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-supervised-'));
  context.after(() => rm(directory, { recursive: true }));
  const supervised = spawnSupervised({
    name: 'released',
    command: 'sleep',
    args: ['30'],
    clock: new FakeClock(),
    log,
    output: { file: join(directory, 'out.log') },
    survivesParent: true,
    restart: 'always',
  });
  const pid = supervised.pid ?? 0;
  context.after(() => process.kill(pid, 'SIGKILL'));
  supervised.release();
  await supervised.done;
  assert.equal(isProcessAlive(pid), true);
});

test('a process waits at its standard input for text that comes later, at each start', async () => {
  const exits = exitQueue();
  const clock = new FakeClock();
  const input = Promise.withResolvers<string>();
  let output = '';
  const supervised = spawnSupervised({
    name: 'waiting',
    command: 'sh',
    args: ['-c', 'cat; exit 1'],
    input: input.promise,
    clock,
    log,
    output: { onData: (chunk) => void (output += String(chunk)) },
    restart: 'on-failure',
    backoff: { initialMs: 100, maxMs: 100, resetAfterMs: 1000 },
    onExit: exits.onExit,
  });
  assert.ok(supervised.pid !== undefined);
  input.resolve('secret\n');
  assert.equal((await exits.next()).exitCode, 1);
  await clock.advance(100);
  assert.equal((await exits.next()).exitCode, 1);
  await supervised.stop();
  assert.equal(output, 'secret\nsecret\n');
});
