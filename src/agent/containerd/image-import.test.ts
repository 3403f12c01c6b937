import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createLogger } from '#base/log.ts';
import type { ImageStore } from './ctr.ts';
import { importImages } from './image-import.ts';
import { rotateLog } from './log-rotation.ts';

async function temporary(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-images-'));
  context.after(() => rm(directory, { recursive: true }));
  return directory;
}

interface Setup {
  imported: string[];
  pinned: string[];
  lines: string[];
  clock: FakeClock;
  /** One pass over the directory. */
  run: () => Promise<void>;
  /** A pass, and watching until the end of the test. */
  watching: () => Promise<void>;
}

/** An image store in memory; an archive's content is the name of its image. */
function setup(context: TestContext, directory: string): Setup {
  const present = new Set<string>();
  const imported: string[] = [];
  const pinned: string[] = [];
  const lines: string[] = [];
  const store: ImageStore = {
    list: async () => new Set(present),
    async import(archive) {
      const name = String(archive instanceof Readable ? await buffer(archive) : archive);
      imported.push(name);
      present.add(name);
      return [name];
    },
    pin: async (names) => void pinned.push(...names),
  };
  const clock = new FakeClock();
  const stop = new AbortController();
  context.after(() => stop.abort());
  const start = (signal: AbortSignal): Promise<void> =>
    importImages({
      directory,
      store,
      pullImage: async (reference) => void present.add(reference),
      path: '/nowhere',
      clock,
      log: createLogger({ level: 'info', now: () => 0, write: (line) => lines.push(line) }),
      signal,
    });
  const run = async (): Promise<void> => {
    const once = new AbortController();
    await start(once.signal);
    once.abort();
  };
  return { imported, pinned, lines, clock, run, watching: () => start(stop.signal) };
}

test('imports archives of each kind, pins them and skips them when unchanged', async (context) => {
  const directory = await temporary(context);
  await writeFile(join(directory, 'a.tar'), 'one');
  await writeFile(join(directory, 'b.tar.gz'), gzipSync('two'));
  await writeFile(join(directory, 'c.tar.zst'), zstdCompressSync('three'));
  await writeFile(join(directory, 'd.txt'), '# list\n\ndocker.io/library/four:1\n');
  await writeFile(join(directory, 'README.md'), 'not an image');
  const { imported, pinned, run } = setup(context, directory);
  await run();
  await run();
  assert.deepEqual(imported, ['one', 'two', 'three']);
  assert.deepEqual(pinned, ['one', 'two', 'three', 'docker.io/library/four:1']);
});

test('imports a changed file again', async (context) => {
  const directory = await temporary(context);
  const { imported, run } = setup(context, directory);
  await writeFile(join(directory, 'a.tar'), 'one');
  await run();
  await writeFile(join(directory, 'a.tar'), 'another');
  await run();
  assert.deepEqual(imported, ['one', 'another']);
});

test('imports a file that arrives later, once it has settled', async (context) => {
  const directory = await temporary(context);
  const { imported, clock, watching } = setup(context, directory);
  await watching();
  await writeFile(join(directory, 'late.tar'), 'late');
  await eventually('the wait', () => clock.pendingTimers > 0);
  assert.deepEqual(imported, []);
  await clock.advance(1000);
  await eventually('the import', () => imported.length > 0);
  assert.deepEqual(imported, ['late']);
});

test('says which tool is missing and goes on with the other files', async (context) => {
  const directory = await temporary(context);
  await writeFile(join(directory, 'a.tar.lz4'), 'x');
  await writeFile(join(directory, 'b.tar'), 'two');
  const { imported, lines, run } = setup(context, directory);
  await run();
  assert.deepEqual(imported, ['two']);
  assert.match(lines.join(''), /lz4 not found in PATH: install it \(apt-get install lz4\)/);
});

test('rotates a log by copying and truncating it and keeps some old ones', async (context) => {
  const path = join(await temporary(context), 'c.log');
  const options = { path, maxSizeBytes: 4, keep: 2 };
  assert.equal(await rotateLog(options), false);
  for (const text of ['first', 'second', 'third']) {
    await writeFile(path, text);
    assert.equal(await rotateLog(options), true);
    assert.equal((await stat(path)).size, 0);
  }
  assert.equal(gunzipSync(await readFile(`${path}.1.gz`)).toString(), 'third');
  assert.equal(gunzipSync(await readFile(`${path}.2.gz`)).toString(), 'second');
  await assert.rejects(stat(`${path}.3.gz`), { code: 'ENOENT' });
});
