import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { isProcessAlive } from './process.ts';

/** A child that follows its parent's death, started by a parent that waits to be killed. */
const parent = `
  import { spawn } from 'node:child_process';
  const child = \`
    import { createServer } from 'node:net';
    import { endWithParent } from '${import.meta.dirname}/libc.ts';
    endWithParent(\${process.pid});
    console.log(process.pid);
    createServer().listen(0, '127.0.0.1');
  \`;
  const args = ['--input-type=module-typescript', '-e', child];
  spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
`;

/** Gone, or a zombie that the machine's first process has not taken note of yet. */
function hasEnded(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === true;
  } catch {
    return true;
  }
}

test('a process that ends with its parent does so when the parent is killed', async () => {
  const args = ['--input-type=module-typescript', '-e', parent];
  const outer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<number>((resolve) => {
    outer.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
  });
  assert.equal(isProcessAlive(pid), true);
  const closed = new Promise((resolve) => outer.stdout.once('close', resolve));
  outer.kill('SIGKILL');
  // The pipe closes when the last process that has it is gone.
  outer.stdout.resume();
  await closed;
  // The kernel closes the files of a process a moment before it counts as ended.
  await eventually('its end', () => hasEnded(pid));
});
