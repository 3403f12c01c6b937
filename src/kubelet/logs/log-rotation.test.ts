import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { rotateLogs } from './log-rotation.ts';

test('logs that have grown are cut, compressed and limited in number', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-logs-'));
  context.after(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'c'));
  const logPath = join(directory, 'c', '0.log');
  const clock = new FakeClock();
  const reopened: string[] = [];
  const rotate = (error?: Error): Promise<void> =>
    rotateLogs({
      containers: [
        { id: 'c', logPath },
        { id: 'none', logPath: join(directory, 'absent') },
      ],
      runtime: {
        async reopenContainerLog(id) {
          if (error !== undefined) throw error;
          reopened.push(id);
          await writeFile(logPath, '');
        },
      },
      clock,
      log: silentLogger,
      maxSizeBytes: 10,
      maxFiles: 3,
    });
  await writeFile(logPath, 'short');
  await rotate();
  assert.deepEqual(reopened, []);
  for (const text of ['first log', 'second log', 'third log']) {
    await writeFile(logPath, text.padEnd(10, '.'));
    await rotate();
    await clock.advance(1000);
  }
  const names = (await readdir(join(directory, 'c'))).sort();
  assert.deepEqual(names, ['0.log', '0.log.20260101-000001.gz', '0.log.20260101-000002']);
  const packed = await readFile(join(directory, 'c', '0.log.20260101-000001.gz'));
  assert.equal(gunzipSync(packed).toString(), 'second log');
  await writeFile(logPath, 'still written');
  await rotate(new Error('no such container'));
  assert.equal(await readFile(logPath, 'utf8'), 'still written');
});
