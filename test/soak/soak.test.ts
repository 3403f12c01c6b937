/**
 * The short form of `npm run soak`: pods that come, crash, change and go, then k3ts or its runtime
 * killed in the middle of that. K3TS_SOAK_FAULTS sets how often, K3TS_SOAK_SEED what happens.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '#base/random.ts';
import { labProblem } from '../harness/mod.ts';
import { runSoak } from './run-soak.ts';
import { unplannedEnds } from './unplanned-ends.ts';

const skip = await labProblem();
const faults = Number(process.env['K3TS_SOAK_FAULTS'] ?? 3);
const seed = Number(process.env['K3TS_SOAK_SEED'] ?? systemRandom.integer(100_000));

test(
  `churn and ${faults} kills leave what is wanted and nothing else (seed ${seed})`,
  { skip, timeout: 240_000 + faults * 120_000 },
  async (context) => {
    const plan = { pods: 20, seconds: 6, faults, seed, thinkMs: 300, settleSeconds: 0 };
    const report = await runSoak({ plan, progress: (line) => context.diagnostic(line) });
    assert.deepEqual(report.problems, [], 'see the progress for what happened');
    assert.equal(report.convergedMs.length, faults + 3, 'warm-up, full, churned, and each kill');
    assert.ok((report.actions['create pod'] ?? 0) > 0, 'something happened');
    assert.ok(report.start.count > 0 && report.end.count > 0, 'pods were seen to come and go');
  },
);

test('a process that ends by itself is a problem, one that was killed is not', () => {
  const line = (what: string): string =>
    `time="2026-11-21T22:05:48Z" level=warning msg="agent ended, restarting it in 500 ms" what="${what}"`;
  const log = ['first', line('exit code SIGKILL'), line('exit code 1'), line('exit code 1')];
  assert.deepEqual(unplannedEnds(log.join('\n')), ['ended by itself, 2 times: agent: exit code 1']);
});
