import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeFileAtomic } from './atomic-file.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'k3ts-atomic-file-'));
});
after(async () => await rm(directory, { recursive: true, force: true }));

test('replaces a file with its mode and leaves nothing beside it', async () => {
  const path = join(directory, 'a/file');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, 'two', 0o644);
  assert.equal(await readFile(path, 'utf8'), 'two');
  assert.equal((await stat(path)).mode & 0o777, 0o644);
  assert.deepEqual(await readdir(join(directory, 'a')), ['file']);
});

test('what cannot be written is named, with the code of the system', async () => {
  await writeFileAtomic(join(directory, 'file'), '');
  await assert.rejects(writeFileAtomic(join(directory, 'file/x'), ''), {
    name: 'K3tsError',
    code: 'EEXIST',
    message: /^cannot write .*\/file\/x: EEXIST/,
  });
  await assert.rejects(writeFileAtomic('/proc/k3ts-test/x', ''), { code: 'ENOENT' });
});
