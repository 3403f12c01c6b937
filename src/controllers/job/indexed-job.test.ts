import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Job, JobSpec, Pod } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startJobController } from './job-controller.ts';
import { indexKey } from './job-facts.ts';

const labels = { 'batch.kubernetes.io/controller-uid': 'job-uid' };

function start(spec: Partial<JobSpec>): Harness {
  const job: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'work', namespace: 'shop', uid: 'job-uid', generation: 1 },
    spec: {
      backoffLimit: 2 ** 31 - 1,
      completionMode: 'Indexed',
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c' }] },
      },
      ...spec,
    },
  };
  return createHarness([startJobController], { objects: [job] });
}

const jobOf = (harness: Harness): Job =>
  harness.client.stored<Job>(resources.jobs, 'shop/work') as Job;
const running = (harness: Harness): Pod[] =>
  harness.client
    .all<Pod>(resources.pods)
    .filter(
      ({ status, metadata }) =>
        status?.phase === 'Pending' && metadata.deletionTimestamp === undefined,
    );
const indexes = (harness: Harness): string[] =>
  running(harness)
    .map(({ metadata }) => metadata.annotations?.[indexKey] ?? '')
    .toSorted();

function end(harness: Harness, index: number, phase: 'Succeeded' | 'Failed'): void {
  const pod = running(harness).find(
    ({ metadata }) => metadata.annotations?.[indexKey] === String(index),
  );
  const finishedAt = formatTime(harness.clock.now());
  harness.client.modify<Pod>(resources.pods, `shop/${pod?.metadata.name}`, (live) => ({
    ...live,
    status: {
      phase,
      containerStatuses: [
        {
          name: 'c',
          image: '',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode: phase === 'Failed' ? 1 : 0, finishedAt } },
        },
      ],
    },
  }));
}

test('fewer completions end the indexes that are too many, more of them add new ones', async () => {
  const harness = start({ completions: 5, parallelism: 5 });
  await harness.run(100);
  const resize = async (completions: number): Promise<void> => {
    harness.client.modify<Job>(resources.jobs, 'shop/work', (job) => ({
      ...job,
      spec: { ...job.spec!, completions, parallelism: completions },
    }));
    await harness.run(100);
  };
  await resize(3);
  assert.deepEqual(indexes(harness), ['0', '1', '2']);
  end(harness, 1, 'Succeeded');
  await harness.run(100);
  await resize(4);
  assert.deepEqual(indexes(harness), ['0', '2', '3']);
  await resize(1);
  end(harness, 0, 'Succeeded');
  await harness.run(100);
  assert.equal(jobOf(harness).status?.completedIndexes, '0');
  assert.ok(jobOf(harness).status?.conditions?.some(({ type }) => type === 'Complete'));
  await harness.stop();
});

test('an index that failed waits for itself, the others go on', async () => {
  const harness = start({ completions: 3, parallelism: 2, backoffLimitPerIndex: 2 });
  await harness.run(100);
  end(harness, 0, 'Failed');
  end(harness, 1, 'Succeeded');
  await harness.run(1000);
  assert.deepEqual(indexes(harness), ['2']);
  await harness.run(9500);
  assert.deepEqual(indexes(harness), ['0', '2']);
  const retried = running(harness).find(({ metadata }) => metadata.annotations?.[indexKey] === '0');
  const countKey = 'batch.kubernetes.io/job-index-failure-count';
  assert.equal(retried?.metadata.annotations?.[countKey], '1');
  await harness.stop();
});

test('with policy Failed an index is made anew only when its pod has ended', async () => {
  const harness = start({ completions: 1, parallelism: 1, podReplacementPolicy: 'Failed' });
  await harness.run(100);
  const [pod] = running(harness);
  harness.client.modify<Pod>(resources.pods, `shop/${pod?.metadata.name}`, (live) => ({
    ...live,
    spec: { ...live.spec!, nodeName: 'n1' },
    metadata: { ...live.metadata, deletionTimestamp: formatTime(harness.clock.now()) },
  }));
  await harness.run(60_000);
  assert.deepEqual(indexes(harness), []);
  assert.equal(jobOf(harness).status?.terminating, 1);
  harness.client.modify<Pod>(resources.pods, `shop/${pod?.metadata.name}`, (live) => ({
    ...live,
    status: { phase: 'Failed' },
  }));
  await harness.run(60_000);
  assert.deepEqual(indexes(harness), ['0']);
  await harness.stop();
});

test('a met success policy ends what still runs', async () => {
  const harness = start({
    completions: 3,
    parallelism: 3,
    successPolicy: { rules: [{ succeededIndexes: '1' }] },
  });
  await harness.run(100);
  end(harness, 1, 'Succeeded');
  await harness.run(100);
  assert.deepEqual(indexes(harness), []);
  const conditions = jobOf(harness).status?.conditions ?? [];
  assert.deepEqual(
    conditions.map(({ type, reason, message }) => [type, reason, message]),
    [
      ['SuccessCriteriaMet', 'SuccessPolicy', 'Matched rules at index 0'],
      ['Complete', 'SuccessPolicy', 'Matched rules at index 0'],
    ],
  );
  await harness.stop();
});
