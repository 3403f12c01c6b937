import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Job, JobSpec, Pod } from '#schema/types.ts';
import { startTtlAfterFinished } from '../ttlafterfinished/mod.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startJobController } from './job-controller.ts';

const labels = { 'batch.kubernetes.io/controller-uid': 'job-uid' };

function job(spec: Partial<JobSpec> = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'work', namespace: 'shop', uid: 'job-uid', generation: 1 },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c' }] },
      },
      ...spec,
    },
  };
}

function start(spec: Partial<JobSpec> = {}): Harness {
  return createHarness([startJobController, startTtlAfterFinished], { objects: [job(spec)] });
}

const jobOf = (harness: Harness): Job =>
  harness.client.stored<Job>(resources.jobs, 'shop/work') as Job;
const podsOf = (harness: Harness): Pod[] => harness.client.all<Pod>(resources.pods);
const running = (harness: Harness): Pod[] =>
  podsOf(harness).filter(
    ({ status, metadata }) =>
      (status?.phase === 'Pending' || status?.phase === 'Running') &&
      metadata.deletionTimestamp === undefined,
  );
const conditionsOf = (harness: Harness): string[] =>
  (jobOf(harness).status?.conditions ?? [])
    .filter(({ status }) => status === 'True')
    .map(({ type, reason }) => `${type} ${reason}`);

/** Ends pods as a kubelet would report it. */
function end(harness: Harness, pods: readonly Pod[], exitCode: number): void {
  for (const { metadata } of pods) {
    harness.client.modify<Pod>(resources.pods, `shop/${metadata.name}`, (pod) => ({
      ...pod,
      status: {
        ...pod.status,
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        containerStatuses: [
          {
            name: 'c',
            image: '',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { terminated: { exitCode } },
          },
        ],
      },
    }));
  }
}

test('runs as many pods at a time as allowed until enough have succeeded', async () => {
  const harness = start({ parallelism: 2, completions: 5 });
  const seen: number[] = [];
  for (let round = 0; round < 5; round++) {
    await harness.run(100);
    seen.push(running(harness).length);
    end(harness, running(harness), 0);
  }
  await harness.run(100);
  assert.deepEqual(seen, [2, 2, 1, 0, 0]);
  const { status } = jobOf(harness);
  assert.deepEqual(
    [status?.succeeded, status?.failed, status?.active, status?.ready, status?.terminating],
    [5, undefined, undefined, 0, 0],
  );
  assert.deepEqual(status?.uncountedTerminatedPods, {});
  assert.ok(status?.startTime !== undefined && status.completionTime !== undefined);
  assert.deepEqual(conditionsOf(harness), [
    'SuccessCriteriaMet CompletionsReached',
    'Complete CompletionsReached',
  ]);
  assert.equal(harness.events().at(-1), 'Completed: Job completed');
  assert.ok(podsOf(harness).every(({ metadata }) => (metadata.finalizers ?? []).length === 0));
  await harness.stop();
});

test('failed pods are replaced after growing waits, and too many end the job', async () => {
  const harness = start({ backoffLimit: 2 });
  await harness.run(100);
  end(harness, running(harness), 1);
  await harness.run(9000);
  assert.equal(running(harness).length, 0);
  await harness.run(1000);
  assert.equal(running(harness).length, 1);
  end(harness, running(harness), 1);
  await harness.run(19_000);
  assert.equal(running(harness).length, 0);
  await harness.run(1000);
  assert.equal(running(harness).length, 1);
  end(harness, running(harness), 1);
  await harness.run(100);
  assert.deepEqual(conditionsOf(harness), [
    'FailureTarget BackoffLimitExceeded',
    'Failed BackoffLimitExceeded',
  ]);
  assert.equal(jobOf(harness).status?.failed, 3);
  assert.equal(jobOf(harness).status?.completionTime, undefined);
  const text = 'BackoffLimitExceeded: Job has reached the specified backoff limit';
  assert.equal(harness.events().at(-1), text);
  await harness.stop();
});

test('a deadline ends running pods, and the job only after they are gone', async () => {
  const harness = start({ activeDeadlineSeconds: 60 });
  await harness.run(100);
  harness.client.modify<Pod>(
    resources.pods,
    `shop/${running(harness)[0]?.metadata.name}`,
    (pod) => ({ ...pod, spec: { ...pod.spec!, nodeName: 'n1' }, status: { phase: 'Running' } }),
  );
  await harness.run(61_000);
  assert.deepEqual(conditionsOf(harness), ['FailureTarget DeadlineExceeded']);
  const [leaving] = podsOf(harness);
  assert.ok(leaving?.metadata.deletionTimestamp !== undefined);
  end(harness, podsOf(harness), 137);
  await harness.run(100);
  assert.deepEqual(conditionsOf(harness), [
    'FailureTarget DeadlineExceeded',
    'Failed DeadlineExceeded',
  ]);
  await harness.stop();
});

test('an Indexed job runs each index once, with its name, variable and label', async () => {
  const harness = start({ completionMode: 'Indexed', completions: 4, parallelism: 3 });
  await harness.run(100);
  const names = running(harness).map(({ metadata }) => metadata.name.replace(/-\w{5}$/, ''));
  assert.deepEqual(names.sort(), ['work-0', 'work-1', 'work-2']);
  const [first] = running(harness);
  assert.equal(first?.spec?.hostname, 'work-0');
  assert.deepEqual(first?.spec?.containers[0]?.env, [
    {
      name: 'JOB_COMPLETION_INDEX',
      valueFrom: {
        fieldRef: {
          fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']",
        },
      },
    },
  ]);
  const byIndex = (index: number): Pod[] =>
    running(harness).filter(({ metadata }) => metadata.name.startsWith(`work-${index}-`));
  end(harness, [...byIndex(0), ...byIndex(2)], 0);
  end(harness, byIndex(1), 1);
  await harness.run(15_000);
  assert.equal(jobOf(harness).status?.completedIndexes, '0,2');
  assert.deepEqual([byIndex(1).length, byIndex(3).length], [1, 1]);
  end(harness, running(harness), 0);
  await harness.run(100);
  assert.equal(jobOf(harness).status?.completedIndexes, '0-3');
  assert.equal(jobOf(harness).status?.succeeded, 4);
  assert.ok(conditionsOf(harness).includes('Complete CompletionsReached'));
  await harness.stop();
});

test('with a limit for each index, others go on while one is given up', async () => {
  const harness = start({
    completionMode: 'Indexed',
    completions: 2,
    parallelism: 2,
    backoffLimitPerIndex: 0,
    backoffLimit: 2 ** 31 - 1,
  });
  await harness.run(100);
  const [bad, good] = running(harness);
  end(harness, [bad!], 1);
  await harness.run(60_000);
  assert.equal(jobOf(harness).status?.failedIndexes, '0');
  assert.equal(running(harness).length, 1);
  end(harness, [good!], 0);
  await harness.run(100);
  assert.deepEqual(conditionsOf(harness), ['FailureTarget FailedIndexes', 'Failed FailedIndexes']);
  await harness.stop();
});

test('the pod failure policy fails the job at once, or does not count a failure', async () => {
  const rules = [
    { action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } },
    { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [42] } },
  ];
  const harness = start({ podFailurePolicy: { rules } });
  await harness.run(100);
  end(harness, running(harness), 7);
  await harness.run(100);
  assert.equal(jobOf(harness).status?.failed, undefined);
  assert.equal(running(harness).length, 0, 'a failure that does not count is waited after too');
  await harness.run(10_000);
  const [pod] = running(harness);
  end(harness, [pod!], 42);
  await harness.run(100);
  const failed = jobOf(harness).status?.conditions?.find(({ type }) => type === 'Failed');
  assert.equal(
    failed?.message,
    `Container c for pod shop/${pod?.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
  );
  await harness.stop();
});

test('a suspended job ends its pods without counting them, and starts anew when resumed', async () => {
  const harness = start({ parallelism: 2, completions: 2 });
  await harness.run(100);
  const suspend = async (value: boolean): Promise<void> => {
    const patch = { type: 'merge', body: { spec: { suspend: value } } } as const;
    await harness.client.patch(resources.jobs, 'work', patch, { namespace: 'shop' });
    await harness.run(100);
  };
  await suspend(true);
  assert.deepEqual([podsOf(harness).length, jobOf(harness).status?.failed], [0, undefined]);
  assert.deepEqual(conditionsOf(harness), ['Suspended JobSuspended']);
  assert.equal(jobOf(harness).status?.startTime, undefined);
  await suspend(false);
  assert.equal(running(harness).length, 2);
  assert.deepEqual(conditionsOf(harness), []);
  await harness.stop();
});

test('pods of a job that was deleted are not held by the finalizer', async () => {
  const harness = start();
  await harness.run(100);
  const [pod] = podsOf(harness);
  await harness.client.delete(resources.jobs, 'work', { namespace: 'shop' });
  await harness.client.delete(resources.pods, pod?.metadata.name ?? '', { namespace: 'shop' });
  await harness.run(100);
  assert.deepEqual(podsOf(harness), []);
  await harness.stop();
});

test('a finished job goes when its time is over', async () => {
  const harness = start({ ttlSecondsAfterFinished: 30 });
  await harness.run(100);
  end(harness, running(harness), 0);
  await harness.run(29_000);
  assert.ok(conditionsOf(harness).includes('Complete CompletionsReached'));
  assert.equal(jobOf(harness).metadata.deletionTimestamp, undefined);
  await harness.run(2000);
  assert.ok(jobOf(harness).metadata.deletionTimestamp !== undefined);
  await harness.stop();
});

test('a pod that lost its owner is adopted again, one with other labels is let go', async () => {
  const harness = start({ parallelism: 1, completions: 1 });
  await harness.run(100);
  const name = podsOf(harness)[0]?.metadata.name;
  const change = async (metadata: Partial<Pod['metadata']>): Promise<Pod> => {
    harness.client.modify<Pod>(resources.pods, `shop/${name}`, (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, ...metadata },
    }));
    await harness.run(100);
    return harness.client.stored<Pod>(resources.pods, `shop/${name}`) as Pod;
  };
  const tracking = ['batch.kubernetes.io/job-tracking'];
  const adopted = await change({ ownerReferences: [], finalizers: [] });
  assert.equal(adopted.metadata.ownerReferences?.[0]?.uid, 'job-uid');
  assert.deepEqual(adopted.metadata.finalizers, tracking);
  const released = await change({ labels: {} });
  assert.deepEqual([released.metadata.ownerReferences, released.metadata.finalizers], [[], []]);
  assert.equal(running(harness).length, 2, 'another pod does its work');
  await harness.stop();
});
