import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod } from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { createLab, labProblem } from '../harness/mod.ts';
import type { Machine } from '../harness/mod.ts';

const skip = await labProblem();

interface Outcomes {
  life: { status: Pod['status'] };
  latency: { startMs: number[]; goneMs: number[] };
  init: { status: Pod['status'] };
  features: { text: string; sees: string; last: string };
  grace: { tookMs: number };
  static: { podIP: string; answer: string; second: string };
  probes: { status: Pod['status']; events: string[] };
  adopt: { isSame: boolean; restartCount: number; ready: string; left: unknown[] };
  burst: { runningMs: number; goneMs: number };
}

async function run<K extends keyof Outcomes>(machine: Machine, scenario: K): Promise<Outcomes[K]> {
  const runner = join(import.meta.dirname, 'kubelet-runner.ts');
  const options = { timeoutMs: 120_000 };
  const { stdout } = await machine.run(process.execPath, [runner, scenario], options);
  return (JSON.parse(stdout) as { result: Outcomes[K] }).result;
}

test('the kubelet runs pods on a real runtime', { skip }, async (context) => {
  const lab = await createLab();
  context.after(() => lab.close());
  const machine = await lab.addMachine();
  const images = '/var/lib/rancher/k3s/agent/images';
  await machine.sh(`mkdir -p ${images}
    cp ${await fixtures.web()} ${images}/web.tar
    cp ${await fixtures.busybox()} ${images}/busybox.tar`);

  await context.test('start, status and end', async (inner) => {
    const { startMs, goneMs } = await run(machine, 'latency');
    inner.diagnostic(`running after ${startMs.join(', ')} ms, gone after ${goneMs.join(', ')} ms`);
    const { status } = await run(machine, 'life');
    assert.match(status?.podIP ?? '', /^10\.42\.0\.\d+$/);
    assert.equal(status?.containerStatuses?.[0]?.ready, true);
  });

  await context.test('init containers and sidecars', async () => {
    const { status } = await run(machine, 'init');
    const ended = status?.containerStatuses?.[0]?.state?.terminated;
    assert.deepEqual([ended?.exitCode, ended?.message], [3, 'one\ntwo\n']);
    const exits = status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode);
    assert.deepEqual(exits, [0, 0, 0]);
  });

  await context.test('what a container sees', async () => {
    const { text, sees, last } = await run(machine, 'features');
    const [user, hostname, , alias, search, environment, ...rest] = text.split('\n');
    assert.deepEqual([user, hostname, alias], ['1000', 'custom', '1.2.3.4\talias']);
    assert.match(
      search ?? '',
      /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/,
    );
    assert.match(environment ?? '', /^value 10\.42\.0\.\d+$/);
    assert.deepEqual(rest, [
      'touch: /x: Read-only file system',
      'CapEff:\t0000000000000000',
      'NoNewPrivs:\t1',
      '7',
    ]);
    assert.deepEqual([sees, last], ['1', 'bye']);
  });

  await context.test('a shorter grace period takes over', async () => {
    const { tookMs } = await run(machine, 'grace');
    assert.ok(tookMs < 25_000, `${tookMs} ms`);
  });

  await context.test('static pods have a mirror and follow their file', async () => {
    const { podIP, answer, second } = await run(machine, 'static');
    assert.deepEqual([podIP, answer, second], ['10.99.0.1', 'ok\n', 'ok\n']);
  });

  await context.test('probes hide and restart', async () => {
    const { status, events } = await run(machine, 'probes');
    assert.equal(status?.containerStatuses?.[0]?.restartCount, 1);
    assert.ok(
      events.includes('probed Killing: Container web failed liveness probe, will be restarted'),
    );
  });

  await context.test('a restart adopts what runs and removes what nobody asks for', async () => {
    const outcome = await run(machine, 'adopt');
    assert.deepEqual(outcome, { isSame: true, restartCount: 0, ready: 'True', left: [] });
  });

  await context.test('thirty pods at once', async (inner) => {
    const { runningMs, goneMs } = await run(machine, 'burst');
    inner.diagnostic(`running in ${Math.round(runningMs)} ms, gone in ${Math.round(goneMs)} ms`);
  });
});
