import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { eventually } from '#base/eventually.ts';
import { resources } from '#client/mod.ts';
import type { CronJob, CronJobSpec, Job } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startCronJobController } from './cron-job-controller.ts';

const minuteMs = 60_000;

function cronJob(spec: Partial<CronJobSpec>, creationTimestamp?: string): CronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'report', namespace: 'shop', uid: 'cron-uid', creationTimestamp },
    spec: {
      schedule: '* * * * *',
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: {
        metadata: { labels: { app: 'report' }, annotations: { a: 'b' } },
        spec: { template: { spec: { containers: [{ name: 'c' }] } } },
      },
      ...spec,
    },
  };
}

/** Made this long before the harness' clock begins. */
function start(spec: Partial<CronJobSpec> = {}, ageMs = 0): Harness {
  const harness = createHarness([startCronJobController]);
  const made = formatTime(harness.clock.now() - ageMs);
  harness.client.add(cronJob({ timeZone: 'UTC', ...spec }, made));
  return harness;
}

const live = (harness: Harness): CronJob =>
  harness.client.stored<CronJob>(resources.cronJobs, 'shop/report') as CronJob;
const jobsOf = (harness: Harness): Job[] =>
  harness.client
    .all<Job>(resources.jobs)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
const names = (harness: Harness): string[] => jobsOf(harness).map(({ metadata }) => metadata.name);

function end(harness: Harness, job: Job, type: 'Complete' | 'Failed'): void {
  const now = formatTime(harness.clock.now());
  harness.client.modify<Job>(resources.jobs, `shop/${job.metadata.name}`, (object) => ({
    ...object,
    status: {
      startTime: object.metadata.creationTimestamp,
      ...(type === 'Complete' ? { completionTime: now } : {}),
      conditions: [{ type, status: 'True' }],
    },
  }));
}

/** Runs to a little after the next full minute. */
async function minute(harness: Harness): Promise<void> {
  await harness.run(minuteMs - (harness.clock.now() % minuteMs) + 200);
}

test('a job is made at each time, named after it, with owner and timestamp', async () => {
  const harness = start();
  await harness.run(10);
  assert.deepEqual(names(harness), []);
  await minute(harness);
  const at = harness.clock.now() - (harness.clock.now() % minuteMs);
  const [job] = jobsOf(harness);
  assert.equal(job?.metadata.name, `report-${at / minuteMs}`);
  assert.deepEqual(job?.metadata.labels, { app: 'report' });
  assert.deepEqual(job?.metadata.annotations, {
    a: 'b',
    'batch.kubernetes.io/cronjob-scheduled-timestamp': formatTime(at),
  });
  assert.equal(job?.metadata.ownerReferences?.[0]?.uid, 'cron-uid');
  const { status } = live(harness);
  assert.equal(status?.lastScheduleTime, formatTime(at));
  assert.deepEqual(
    status?.active?.map(({ kind, name, uid }) => [kind, name, uid]),
    [['Job', job?.metadata.name, job?.metadata.uid]],
  );
  await minute(harness);
  assert.equal(names(harness).length, 2);
  assert.deepEqual(
    harness.events(),
    names(harness).map((name) => `SuccessfulCreate: Created job ${name}`),
  );
  await harness.stop();
});

test('ended jobs leave the active list, and history keeps the newest', async () => {
  const harness = start({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 });
  const ends = ['Complete', 'Failed', 'Complete', 'Failed', 'Complete'] as const;
  const made: string[] = [];
  for (const type of ends) {
    await minute(harness);
    const job = jobsOf(harness).at(-1)!;
    made.push(job.metadata.name);
    end(harness, job, type);
    await harness.run(100);
  }
  assert.deepEqual(names(harness), [made[2], made[3], made[4]]);
  assert.equal(live(harness).status?.active, undefined);
  const last = jobsOf(harness).at(-1)?.status?.completionTime;
  assert.equal(live(harness).status?.lastSuccessfulTime, last);
  const events = harness.events();
  assert.ok(events.includes(`SawCompletedJob: Saw completed job: ${made[0]}, condition: Complete`));
  assert.ok(events.includes(`SuccessfulDelete: Deleted job ${made[0]}`));
  await harness.stop();
});

test('Forbid skips a time while a job runs, Replace ends the running one', async () => {
  const forbid = start({ concurrencyPolicy: 'Forbid' });
  await minute(forbid);
  const [first] = names(forbid);
  await minute(forbid);
  assert.deepEqual(names(forbid), [first]);
  const text =
    'JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid';
  assert.equal(forbid.events().at(-1), text);
  end(forbid, jobsOf(forbid)[0]!, 'Complete');
  await forbid.run(100);
  assert.equal(names(forbid).length, 2);
  await forbid.stop();

  const replace = start({ concurrencyPolicy: 'Replace' });
  await minute(replace);
  const [old] = names(replace);
  await minute(replace);
  assert.equal(names(replace).length, 1);
  assert.notEqual(names(replace)[0], old);
  assert.ok(replace.events().includes(`SuccessfulDelete: Deleted job ${old}`));
  await replace.stop();
});

test('a suspended one makes no jobs, and makes one for the last time when resumed', async () => {
  const harness = start({ suspend: true });
  for (let round = 0; round < 3; round++) await minute(harness);
  assert.deepEqual(names(harness), []);
  harness.client.modify<CronJob>(resources.cronJobs, 'shop/report', (object) => ({
    ...object,
    spec: { ...object.spec, suspend: false },
  }));
  await harness.run(100);
  assert.equal(names(harness).length, 1);
  await harness.stop();
});

test('too many missed times are told, and the latest is started', async () => {
  const harness = start({}, 200 * minuteMs);
  await harness.run(100);
  const text =
    'TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
  assert.ok(harness.events().includes(text), harness.events().join('\n'));
  const at = Math.floor(harness.clock.now() / minuteMs);
  assert.deepEqual(names(harness), [`report-${at}`]);
  await harness.stop();
});

test('a time that is missed for longer than the deadline is not started', async () => {
  const spec = { schedule: '0 12 * * *', startingDeadlineSeconds: 30 };
  const harness = start(spec, 1440 * minuteMs);
  await harness.run(100);
  assert.deepEqual(names(harness), []);
  await harness.stop();
});

test('a job that is gone is missed, one that nobody made is told', async () => {
  const harness = start({ schedule: '*/30 * * * *' }, 29 * minuteMs);
  await eventually(
    'a job',
    () => names(harness).length > 0,
    () => minute(harness),
  );
  const [name] = names(harness);
  harness.client.remove(resources.jobs, `shop/${name}`);
  await harness.run(100);
  assert.equal(live(harness).status?.active, undefined);
  assert.ok(harness.events().includes(`MissingJob: Active job went missing: ${name}`));
  harness.client.add({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'by-hand',
      namespace: 'shop',
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: 'report',
          uid: 'cron-uid',
          controller: true,
        },
      ],
    },
  });
  await harness.run(100);
  const text = 'UnexpectedJob: Saw a job that the controller did not create or forgot: by-hand';
  assert.ok(harness.events().includes(text));
  await harness.stop();
});

for (const [spec, event] of [
  [
    { timeZone: 'Mars/Base' },
    'UnknownTimeZone: invalid timeZone: "Mars/Base": unknown time zone Mars/Base',
  ],
  [
    { schedule: 'often' },
    'UnparseableSchedule: unparseable schedule: "often" : expected exactly 5 fields, found 1: [often]',
  ],
] as const) {
  test(`what cannot be understood is told: ${event}`, async () => {
    const harness = start(spec);
    await harness.run(100);
    assert.deepEqual(harness.events(), [event]);
    await harness.stop();
  });
}

test('a time that never comes is told', async () => {
  const harness = start({ schedule: '59 23 31 2 *' });
  await harness.run(100);
  const text =
    'InvalidSchedule: invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second';
  assert.ok(harness.events().includes(text), harness.events().join('\n'));
  await harness.stop();
});
