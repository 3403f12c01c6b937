import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { labProblem, startNode, waitFor } from './mod.ts';

const skip = await labProblem();

/** Stands for k3ts: says what it was started with and ends on SIGTERM. */
const standIn = `#!/bin/sh
echo "started $* in $(hostname) as $ROLE"
trap 'echo stopping; exit 0' TERM
while :; do sleep 0.05; done
`;

test('starts, kills, restarts and stops a program on a machine', { skip }, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-stand-in-'));
  context.after(() => rm(directory, { recursive: true }));
  const program = join(directory, 'program');
  await writeFile(program, standIn);
  await chmod(program, 0o755);
  await using node = await startNode({
    program,
    name: 'one',
    args: ['--flag'],
    env: { ROLE: 'test' },
    config: 'a: b\n',
  });
  const running = (): Promise<number[]> => node.machine.processes(/stand-in.*program/);
  const hasStarted = (line: string) => async (): Promise<boolean> =>
    (await node.log()).includes(line);
  await waitFor('the start', hasStarted('started server --flag in one as test'));
  assert.equal(await node.machine.sh('cat /etc/rancher/k3s/config.yaml'), 'a: b\n');
  await node.kill9();
  assert.deepEqual(await running(), []);
  await node.restart(['agent', '--other']);
  await waitFor('the second start', hasStarted('started agent --other in one'));
  await node.stop();
  assert.deepEqual(await running(), []);
  assert.match(await node.log(), /stopping/);
});
