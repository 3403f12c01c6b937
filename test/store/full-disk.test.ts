/** The SQLite datastore on a file system without room, in a mount namespace of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const isRoot = process.getuid?.() === 0;
const canMount =
  isRoot && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test(
  'a full disk refuses writes only; compaction and new space heal it',
  { skip: canMount ? false : 'it needs root and mounts' },
  (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'k3ts-full-disk-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const run = join(import.meta.dirname, 'full-disk-run.ts');
    const script = 'mount -t tmpfs -o size=40m none "$1" && exec "$2" "$3" "$1"';
    const done = spawnSync(
      'unshare',
      ['-m', 'sh', '-c', script, 'sh', dir, process.execPath, run],
      { encoding: 'utf8', timeout: 180_000 },
    );
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(JSON.parse(done.stdout), {
      refusedWhenFull: true,
      wroteBefore: true,
      readsWhenFull: true,
      isFull: true,
      writesAfterCompaction: true,
      refusedAgain: true,
      writesWhenSpaceReturns: true,
      holdsAll: true,
    });
  },
);
