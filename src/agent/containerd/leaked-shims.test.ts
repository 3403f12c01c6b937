import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { isProcessAlive, runCommand } from '#host/process.ts';
import { endLeakedShims, shimSocket, watchLeakedShims } from './leaked-shims.ts';

const lenient = { timeoutMs: 60_000, okExitCodes: [0, 1] };
const bundles = 'io.containerd.runtime.v2.task/k8s.io';

async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}

/** A runtime of scripts: `ctr` prints files of ids, the shim notes what it is called with. */
async function createRuntime(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-shims-'));
  context.after(() => rm(directory, { recursive: true }));
  const [state, root] = [join(directory, 'state'), join(directory, 'root')];
  const options = {
    shim: join(directory, 'shim'),
    ctr: join(directory, 'ctr'),
    socket: join(state, 'containerd.sock'),
    state,
    root,
    log: silentLogger,
  };
  await mkdir(join(state, bundles), { recursive: true });
  await writeProgram(
    options.ctr,
    `[ $6 = delete ] && echo "$5 $6 $7" >>${directory}/called && exit 3; cat ${directory}/$5`,
  );
  await writeProgram(options.shim, `echo "$PWD $*" >>${directory}/called`);
  const write = (what: 'tasks' | 'containers', ids: string[]): Promise<void> =>
    writeFile(join(directory, what), ids.map((id) => `${id}\n`).join(''));
  const writeTasks = (rows: string[]): Promise<void> =>
    write('tasks', ['TASK PID STATUS', ...rows]);
  await writeTasks([]);
  await write('containers', []);
  return {
    options,
    write,
    writeTasks,
    called: () => readFile(join(directory, 'called'), 'utf8').catch(() => ''),
    bundle: async (id: string): Promise<string> => {
      const path = join(state, bundles, id);
      await mkdir(path);
      return path;
    },
    /** A process that looks like a shim, with a child; `ended` when both are gone. */
    start: async (id: string, socket = options.socket) => {
      const script = 'sleep 100 & echo started; wait';
      const args = ['-c', script, '-namespace', 'k8s.io', '-id', id, '-address', socket];
      const child = spawn('/bin/sh', args, {
        argv0: 'containerd-shim-runc-v2',
        detached: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const pid = child.pid ?? 0;
      // The pipe closes when the last process that has it ends.
      const ended = once(child, 'close');
      context.after(async () => {
        await runCommand({ command: 'kill', args: ['-9', '--', `-${pid}`], ...lenient });
        await ended;
      });
      await once(child.stdout, 'data');
      return { pid, ended };
    },
  };
}

test('a shim without task and container is ended at the second look', async (context) => {
  const { options, start, bundle, called } = await createRuntime(context);
  const { pid, ended } = await start('forgotten');
  const path = await bundle('forgotten');
  const suspects = await endLeakedShims(options, new Set());
  assert.deepEqual([...suspects], ['forgotten']);
  assert.ok(isProcessAlive(pid), 'it may be about to be made known');
  assert.deepEqual([...(await endLeakedShims(options, suspects))], []);
  await ended;
  assert.equal(existsSync(path), false);
  const { socket } = options;
  const line = `-namespace k8s.io -address ${socket} -id forgotten -bundle ${path} delete`;
  assert.equal(await called(), `${path} ${line}\n`);
});

test('a shim goes whose bundle containerd has removed, with what it started', async (context) => {
  const { options, start } = await createRuntime(context);
  const { ended } = await start('bare');
  assert.deepEqual([...(await endLeakedShims(options, new Set(['bare'])))], []);
  await ended;
});

test('shims with a task, with a container, and of another containerd stay', async (context) => {
  const { options, write, writeTasks, start, bundle, called } = await createRuntime(context);
  await writeTasks(['runs 17 RUNNING']);
  await write('containers', ['runs', 'made']);
  const shims = [
    await start('runs'),
    await start('made'),
    await start('other', '/run/containerd/containerd.sock'),
  ];
  await Promise.all(['runs', 'made'].map(bundle));
  const before = new Set(['runs', 'made', 'other']);
  assert.deepEqual([...(await endLeakedShims(options, before))], ['made'], 'still watched');
  assert.ok(shims.every(({ pid }) => isProcessAlive(pid)));
  assert.equal(await called(), '');
});

test('a task that has stopped is deleted at the second look', async (context) => {
  const { options, writeTasks, called } = await createRuntime(context);
  await writeTasks(['ended    17    STOPPED', 'runs     18    RUNNING']);
  const suspects = await endLeakedShims(options, new Set());
  assert.equal(await called(), '', 'its exit may just be on its way');
  assert.equal(suspects.size, 1);
  await endLeakedShims(options, suspects);
  assert.equal(await called(), 'tasks delete ended\n');
});

test('later a shim without a bundle is enough to look again', async (context) => {
  const { options, start } = await createRuntime(context);
  const clock = new FakeClock();
  const stopping = new AbortController();
  const watching = watchLeakedShims({ ...options, clock, signal: stopping.signal });
  // A look ends by waiting for the next one.
  const pass = async (ms: number): Promise<void> => {
    await eventually('the wait', () => clock.pendingTimers > 0);
    await clock.advance(ms);
  };
  for (let look = 0; look < 6; look += 1) await pass(10_000);
  const { ended } = await start('given-up');
  await pass(60_000);
  await pass(10_000);
  await ended;
  stopping.abort();
  await watching;
});

test('the socket of a shim has the name that containerd gives it', () => {
  const id = 'c150917f60413d07c949ac908d52ac38da3231348d2708d22de9b85d60783b62';
  const hash = '4721a8e5bbff9e1247be1aae83838ec7070bd936717738ae3ea981be63756e69';
  assert.equal(shimSocket('/run/k3s/containerd/containerd.sock', id), `/run/containerd/s/${hash}`);
});
