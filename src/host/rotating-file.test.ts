import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { RotatingFile } from './rotating-file.ts';

const hourMs = 3_600_000;
let folder: string;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k3ts-rotate-'));
  nowMs = Date.UTC(2026, 0, 10);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (extra: Partial<ConstructorParameters<typeof RotatingFile>[0]> = {}): RotatingFile =>
  new RotatingFile({
    path: join(folder, 'logs', 'audit.log'),
    maxSizeMegabytes: 1,
    maxBackups: 0,
    maxAgeDays: 0,
    isCompressed: false,
    now: () => nowMs,
    ...extra,
  });

const megabyte = (letter: string): string => letter.repeat(1024 * 1024 - 10);
const names = async (): Promise<string[]> => (await readdir(join(folder, 'logs'))).sort();

test('appends to the file that is there', async () => {
  for (const text of ['a\n', 'b\n']) {
    const one = file();
    await one.open();
    await one.write(text);
    await one.close();
  }
  assert.equal(await readFile(join(folder, 'logs', 'audit.log'), 'utf8'), 'a\nb\n');
});

test('a full file is set aside under the time, and old ones are removed', async () => {
  const one = file({ maxBackups: 2 });
  for (const letter of ['a', 'b', 'c', 'd']) {
    await one.write(megabyte(letter));
    nowMs += hourMs;
  }
  await one.close();
  assert.deepEqual(await names(), [
    'audit-2026-01-10T02-00-00.000.log',
    'audit-2026-01-10T03-00-00.000.log',
    'audit.log',
  ]);
});

test('backups older than the limit go, packed ones can be read', async () => {
  const one = file({ maxAgeDays: 1, isCompressed: true });
  await one.write(megabyte('a'));
  await one.write(megabyte('b'));
  nowMs += 30 * hourMs;
  await one.write(megabyte('c'));
  await one.close();
  const [backup = ''] = await names();
  assert.deepEqual(await names(), ['audit-2026-01-11T06-00-00.000.log.gz', 'audit.log']);
  const text = gunzipSync(await readFile(join(folder, 'logs', backup))).toString();
  assert.equal(text, megabyte('b'));
});
