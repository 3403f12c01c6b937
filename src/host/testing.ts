import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { test } from 'node:test';

/** Set for the test process that runs in a mount namespace of its own. */
const marker = '--title=k3ts-private-mounts';

/** Bounds of one test of the inner run and of all of it, for machines that are busy. */
const innerMs = 120_000;
const outerMs = 300_000;

/** Whether this test process was started by rerunPrivately, and so may mount what it likes. */
export function isInPrivateMountNamespace(): boolean {
  return process.execArgv.includes(marker);
}

/**
 * Registers one test that runs the whole file again in a private mount namespace, and is skipped
 * with a reason where that is not possible. For test files that mount things.
 */
export function rerunPrivately(file: string): void {
  const unshare = ['--mount', '--propagation', 'private'];
  const isRoot = process.getuid?.() === 0;
  const canUnshare = isRoot && spawnSync('unshare', [...unshare, 'true']).status === 0;
  const skip = canUnshare ? false : 'needs root and unshare(1)';
  test(
    `${basename(file)} in a private mount namespace`,
    { skip, timeout: outerMs + 30_000 },
    (context) => {
      // With the variable the inner run reports to the outer runner in its binary form.
      const plain = ['env', '-u', 'NODE_TEST_CONTEXT'];
      // Ends the inner run also when a test left something open.
      const bounded = ['--test-reporter=tap', '--test-force-exit', `--test-timeout=${innerMs}`];
      const args = [...plain, process.execPath, marker, ...bounded, file];
      const result = spawnSync('unshare', [...unshare, ...args], {
        encoding: 'utf8',
        timeout: outerMs,
        killSignal: 'SIGKILL',
      });
      const failures = result.stdout.split('\n').filter((line) => /^\s*not ok /.test(line));
      if (result.status !== 0)
        throw new Error(`${failures.join('\n')}\n${result.stdout}${result.stderr}`);
      context.diagnostic(/^# pass \d+$/m.exec(result.stdout)?.[0] ?? '');
    },
  );
}
