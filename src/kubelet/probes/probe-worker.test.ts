import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '#base/eventually.ts';
import type { Container, PodSpec, Probe } from '#schema/types.ts';
import { startFakeKubelet, testContainer, testPod } from '../fake-kubelet.ts';

/** A pod whose probes run `liveness`, `readiness` and `startup`; those in `failing` fail. */
async function probed(
  context: TestContext,
  probes: Partial<Record<'liveness' | 'readiness' | 'startup', Partial<Probe>>>,
  spec: Partial<PodSpec> = {},
) {
  const fake = await startFakeKubelet();
  context.after(() => fake.close());
  const failing = new Set<string>();
  const counts: Record<string, number> = { liveness: 0, readiness: 0, startup: 0 };
  fake.cri.onExec = ([kind = '']) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
    return { exitCode: failing.has(kind) ? 1 : 0, output: '' };
  };
  const more: Partial<Container> = {};
  for (const [kind, probe] of Object.entries(probes)) {
    const name = `${kind}Probe` as 'livenessProbe' | 'readinessProbe' | 'startupProbe';
    more[name] = { exec: { command: [kind] }, periodSeconds: 1, failureThreshold: 1, ...probe };
  }
  const begin = async (): Promise<void> => {
    await fake.create(testPod('p', { ...spec, containers: [testContainer('c', more)] }));
    await fake.until('running', () => fake.phase('p') === 'Running');
  };
  const status = () => fake.stored('p')?.status?.containerStatuses?.[0];
  return { ...fake, failing, counts, begin, status };
}

test('a result counts when it came as often as its threshold says', async (context) => {
  const { begin, failing, counts, pass, status } = await probed(context, {
    readiness: { failureThreshold: 3, successThreshold: 2 },
  });
  await begin();
  const after = async (count: number): Promise<boolean | undefined> => {
    const wanted = (counts['readiness'] ?? 0) + count;
    const isDone = (): boolean => (counts['readiness'] ?? 0) >= wanted;
    await eventually('the probe', isDone, () => pass(250, 250));
    await pass(250, 250);
    return status()?.ready;
  };
  assert.equal(await after(1), false);
  assert.equal(await after(1), true);
  failing.add('readiness');
  assert.equal(await after(2), true);
  assert.equal(await after(1), false);
  failing.clear();
  assert.equal(await after(1), false);
  assert.equal(await after(1), true);
});

test('nothing is probed before its initial delay, which counts from the start', async (context) => {
  const { begin, counts, pass } = await probed(context, { readiness: { initialDelaySeconds: 5 } });
  await begin();
  await pass(4_500);
  assert.equal(counts['readiness'], 0);
  await pass(1_000);
  assert.ok((counts['readiness'] ?? 0) >= 1);
});

test('until a container has started only its startup probe runs, and then never again', async (context) => {
  const { begin, failing, counts, pass, status } = await probed(context, {
    startup: { failureThreshold: 30 },
    liveness: {},
    readiness: {},
  });
  failing.add('startup');
  await begin();
  await pass(5_000);
  assert.deepEqual([counts['liveness'], counts['readiness'], status()?.started], [0, 0, false]);
  failing.clear();
  await pass(2_000);
  assert.deepEqual([status()?.started, status()?.ready], [true, true]);
  const { startup } = counts;
  await pass(5_000);
  assert.equal(counts['startup'], startup);
  assert.ok((counts['liveness'] ?? 0) > 2);
});

test('a probe that kills may have a grace period of its own', async (context) => {
  const { begin, failing, pass, cri } = await probed(
    context,
    { liveness: { terminationGracePeriodSeconds: 7 } },
    { terminationGracePeriodSeconds: 60 },
  );
  failing.add('liveness');
  await begin();
  await pass(2_000);
  assert.ok(cri.calls.includes('StopContainer c 7s'), cri.calls.join());
});

test('a pod that goes is asked for its readiness, and for nothing else', async (context) => {
  const {
    begin,
    failing,
    counts,
    pass,
    cri,
    status,
    delete: remove,
    until,
  } = await probed(context, { liveness: {}, readiness: {} });
  await begin();
  await pass(1_500);
  assert.equal(status()?.ready, true);
  const over = Promise.withResolvers<void>();
  cri.onStop = () => over.promise;
  context.after(() => over.resolve());
  await remove('p', 30);
  await until('the stop', () => cri.calls.includes('StopContainer c 30s'));
  const before = { ...counts };
  failing.add('liveness').add('readiness');
  await pass(3_000);
  assert.equal(counts['liveness'], before['liveness']);
  assert.ok((counts['readiness'] ?? 0) > (before['readiness'] ?? 0));
  assert.equal(status()?.ready, false);
  over.resolve();
});
