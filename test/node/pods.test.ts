import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixtures } from '../fixtures/images.ts';
import { createLab, labProblem } from '../harness/mod.ts';

const skip = await labProblem();

test(
  'pods run with network, cgroups and volumes on a lab machine and leave nothing',
  { skip },
  async (context) => {
    const lab = await createLab();
    try {
      const machine = await lab.addMachine();
      await machine.sh(`mkdir -p /var/lib/rancher/k3s/agent/images
      cp ${await fixtures.web()} /var/lib/rancher/k3s/agent/images/web.tar`);
      const runner = join(import.meta.dirname, 'pod-runner.ts');
      const { stdout } = await machine.run(process.execPath, [runner], { timeoutMs: 180_000 });
      const seen = JSON.parse(stdout) as {
        answers: object;
        config: string;
        afterResync: string;
        cgroup: string;
        stats: { memoryLimitBytes: number; processCount: number };
        left: object;
        startMs: number[];
      };
      context.diagnostic(`pods started in ${seen.startMs.join(' and ')} ms`);
      assert.deepEqual(seen.answers, { direct: 'one', hostPort: 'two', between: 'two' });
      assert.equal(seen.config, 'hellotouch: /conf/x: Read-only file system');
      assert.equal(seen.afterResync, 'changed');
      assert.match(seen.cgroup, /\/kubepods\/poduid-one\//);
      assert.equal(seen.stats.memoryLimitBytes, 64 * 2 ** 20);
      assert.ok(seen.stats.processCount >= 2);
      assert.deepEqual(seen.left, { pods: [], cgroups: [], mounts: [] });
    } finally {
      await lab.close();
    }
  },
);
