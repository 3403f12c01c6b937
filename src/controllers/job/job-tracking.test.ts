import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Job, JobSpec, JobStatus, Pod } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startJobController } from './job-controller.ts';
import { indexKey, trackingFinalizer } from './job-facts.ts';
import { jobPod } from './job-pod.ts';
import { tallyPods } from './pod-tally.ts';
import { planTracking } from './tracking-plan.ts';

const labels = { 'batch.kubernetes.io/controller-uid': 'job-uid' };

function job(spec: Partial<JobSpec>, name = 'work'): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'shop', uid: 'job-uid', generation: 1 },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c' }] },
      },
      ...spec,
    },
  };
}

const jobOf = (harness: Harness): Job =>
  harness.client.stored<Job>(resources.jobs, 'shop/work') as Job;
const podsOf = (harness: Harness): Pod[] => harness.client.all<Pod>(resources.pods);
const isTracked = (pod: Pod): boolean =>
  pod.metadata.finalizers?.includes(trackingFinalizer) === true;

function change(harness: Harness, pod: Pod | undefined, to: (live: Pod) => Pod): void {
  harness.client.modify<Pod>(resources.pods, `shop/${pod?.metadata.name}`, to);
}

function run(harness: Harness, pods: readonly Pod[]): void {
  for (const pod of pods) {
    change(harness, pod, (live) => ({
      ...live,
      spec: { ...live.spec!, nodeName: 'n1' },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    }));
  }
}

function fail(harness: Harness, pod: Pod | undefined, exitCode = 1): void {
  const finishedAt = formatTime(harness.clock.now());
  const base = { name: 'c', image: '', imageID: '', ready: false, restartCount: 0 };
  change(harness, pod, (live) => ({
    ...live,
    status: {
      phase: 'Failed',
      containerStatuses: [{ ...base, state: { terminated: { exitCode, finishedAt } } }],
    },
  }));
}

/** Every status of the job that was written, in order. */
async function statuses(harness: Harness, act: () => Promise<void>): Promise<JobStatus[]> {
  const seen: JobStatus[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    const { resourceVersion } = jobOf(harness).metadata;
    const events = harness.client.watch<Job>(resources.jobs, {
      resourceVersion,
      signal: stop.signal,
    });
    for await (const event of events) {
      if (event.type === 'MODIFIED') seen.push(event.object.status ?? {});
    }
  })();
  await act();
  stop.abort();
  await watching.catch(() => undefined);
  return seen;
}

test('the first status has the start, the pods just made, and nothing uncounted', async () => {
  const harness = createHarness([startJobController], {
    objects: [job({ parallelism: 3, completions: 5 })],
  });
  const [first] = await statuses(harness, () => harness.run(10));
  const { startTime, ...rest } = first ?? {};
  assert.ok(startTime !== undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
    active: 3,
    ready: 0,
    terminating: 0,
    uncountedTerminatedPods: {},
  });
  await harness.stop();
});

test('a job that fails counts what still ran as failed, and says why before pods go', async () => {
  const spec = { parallelism: 3, completions: 3, backoffLimit: 0, podReplacementPolicy: 'Failed' };
  const harness = createHarness([startJobController], { objects: [job(spec)] });
  await harness.run(10);
  run(harness, podsOf(harness));
  await harness.run(10);
  assert.deepEqual([jobOf(harness).status?.active, jobOf(harness).status?.ready], [3, 3]);
  const seen = await statuses(harness, async () => {
    fail(harness, podsOf(harness)[0]);
    await harness.run(10);
  });
  const [first] = seen;
  assert.equal(first?.conditions?.[0]?.type, 'FailureTarget');
  assert.equal(first?.uncountedTerminatedPods?.failed?.length, 3);
  assert.deepEqual([first?.active, first?.ready, first?.terminating], [undefined, 0, 2]);
  assert.equal(jobOf(harness).status?.failed, 3);
  assert.equal(podsOf(harness).some(isTracked), false);
  assert.equal(jobOf(harness).status?.conditions?.length, 1, 'pods are still on their way out');
  await harness.stop();
});

test('the last failed pod of an index stays until another one has taken over', async () => {
  const spec = { completionMode: 'Indexed', backoffLimitPerIndex: 3, backoffLimit: 2 ** 31 - 1 };
  const rules = [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } }];
  const harness = createHarness([startJobController], {
    objects: [job({ ...spec, podFailurePolicy: { rules } })],
  });
  await harness.run(10);
  const [first] = podsOf(harness);
  const count = 'batch.kubernetes.io/job-index-failure-count';
  const ignored = 'batch.kubernetes.io/job-index-ignored-failure-count';
  assert.equal(first?.metadata.annotations?.[count], '0');
  fail(harness, first);
  await harness.run(5000);
  assert.deepEqual(podsOf(harness).map(isTracked), [true], 'it is not let go while it is needed');
  assert.equal(jobOf(harness).status?.failed, undefined);
  await harness.run(6000);
  const second = podsOf(harness).find(({ status }) => status?.phase !== 'Failed');
  assert.equal(second?.metadata.annotations?.[count], '1');
  assert.equal(jobOf(harness).status?.failed, 1);
  fail(harness, second, 7);
  await harness.run(21_000);
  const third = podsOf(harness).find(({ status }) => status?.phase !== 'Failed');
  const { annotations = {} } = third?.metadata ?? {};
  assert.deepEqual([annotations[count], annotations[ignored]], ['1', '1']);
  assert.equal(jobOf(harness).status?.failed, 1);
  await harness.stop();
});

test('a pod whose finalizer is off already is not counted again from an old view of it', () => {
  const ended: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop', uid: 'a', finalizers: [trackingFinalizer] },
    status: { phase: 'Failed' },
  };
  const counted = { ...job({}), status: { failed: 1 } };
  assert.equal(tallyPods(counted, [ended], new Set()).failed, 2);
  const tally = tallyPods(counted, [ended], new Set(['a']));
  assert.equal(tally.failed, 1);
  assert.deepEqual(planTracking(counted, tally, {}, undefined).release, []);
});

test('at most 500 ended pods are taken into the status at a time', () => {
  const pods = Array.from({ length: 600 }, (_, at): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${at}`, namespace: 'shop', uid: `u${at}`, finalizers: [trackingFinalizer] },
    status: { phase: 'Succeeded' },
  }));
  const many = job({ completions: 600 });
  const plan = planTracking(many, tallyPods(many, pods, new Set()), {}, undefined);
  assert.equal(plan.status.uncountedTerminatedPods?.succeeded?.length, 500);
  assert.equal(plan.release.length, 500);
  assert.equal(plan.isFull, true);
});

test('the pod of an index keeps its index in the name however long the job is called', () => {
  const long = job({ completionMode: 'Indexed' }, 'a'.repeat(63));
  const pod = jobPod(long, 12, undefined);
  assert.equal(pod.metadata.generateName, `${'a'.repeat(54)}-12-`);
});

test('a job without completions to reach is complete at once, with a start', async () => {
  const harness = createHarness([startJobController], {
    objects: [job({ parallelism: 0, completions: 0 })],
  });
  await harness.run(10);
  const { status } = jobOf(harness);
  assert.ok(status?.startTime !== undefined && status.completionTime !== undefined);
  assert.deepEqual(
    status.conditions?.map(({ type }) => type),
    ['SuccessCriteriaMet', 'Complete'],
  );
  assert.deepEqual(podsOf(harness), []);
  await harness.stop();
});

test('pods of a job that somebody else manages keep their finalizer', async () => {
  const other = { ...job({ managedBy: 'example.com/jobs' }) };
  const pod: Pod = {
    ...jobPod(other, undefined, undefined),
    metadata: {
      ...jobPod(other, undefined, undefined).metadata,
      name: 'p',
      generateName: undefined,
      annotations: { [indexKey]: '0' },
    },
    status: { phase: 'Failed' },
  };
  const managed: Job = { ...other, status: { conditions: [{ type: 'Failed', status: 'True' }] } };
  const harness = createHarness([startJobController], {
    objects: [managed, pod],
  });
  await harness.run(10);
  harness.client.modify<Job>(resources.jobs, 'shop/work', (live) => ({
    ...live,
    metadata: { ...live.metadata, labels: { changed: 'yes' } },
  }));
  await harness.run(10);
  assert.deepEqual(podsOf(harness).map(isTracked), [true]);
  await harness.stop();
});

test('jobs and their pods are counted under upstream’s names', async () => {
  const harness = createHarness([startJobController], {
    objects: [job({ parallelism: 2, completions: 2, backoffLimit: 0 })],
  });
  await harness.run(10);
  fail(harness, podsOf(harness)[0]);
  await harness.run(10);
  const text = await harness.metrics.render();
  for (const line of [
    'job_controller_job_pods_creation_total{reason="new",status="succeeded"} 2',
    'job_controller_job_pods_finished_total{completion_mode="NonIndexed",result="failed"} 2',
    'job_controller_jobs_finished_total{completion_mode="NonIndexed",reason="BackoffLimitExceeded",result="failed"} 1',
    'workqueue_depth{name="job-controller"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.match(
    text,
    /job_controller_job_syncs_total\{action="pods_created",completion_mode="NonIndexed",result="success"\} 1\n/,
  );
  await harness.stop();
});
