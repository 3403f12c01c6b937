import { controllerOf, createExpectations, objectKey, resources } from '#client/mod.ts';
import { startControllerLoop } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Job, OwnerReference, Pod } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { indexByController } from '../pods/owned-objects.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { createFinalizerRemovals } from './finalizer-removals.ts';
import { finishedCondition, hasTracking, isManagedElsewhere } from './job-facts.ts';
import { createJobSync } from './sync-job.ts';
import { removeTracking } from './tracking.ts';

/** Runs pods of Jobs until enough of them have succeeded. */
export const startJobController: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const jobs = informers.informer<Job>(resources.jobs);
  const pods = informers.informer<Pod>(resources.pods);
  indexByController(pods);
  const expectations = createExpectations(clock);
  const removals = createFinalizerRemovals();
  const ready = Promise.all([jobs.synced(signal), pods.synced(signal)]);

  const jobOf = (pod: Pod): Job | undefined => {
    const owner = controllerOf(pod);
    if (owner === undefined || !isJob(owner)) return undefined;
    const job = jobs.get(`${pod.metadata.namespace}/${owner.name}`);
    return job?.metadata.uid === owner.uid ? job : undefined;
  };
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'job-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready,
    reconcile: createJobSync(context, { jobs, pods, expectations, removals }),
  });
  const { queue } = loop;
  // Pods that no job counts any more must not be held by the finalizer.
  const orphans = startControllerLoop({
    meter: context.queueMeter,
    name: 'job-controller-orphans',
    clock,
    log,
    signal,
    ready,
    async reconcile(key) {
      const pod = pods.get(key);
      if (pod === undefined || !hasTracking(pod)) return;
      const controller = controllerOf(pod);
      if (controller !== undefined && !isJob(controller)) return;
      const job = jobOf(pod);
      if (job !== undefined && !isReleasable(job)) return;
      await removeTracking(client, pod);
    },
  });
  /** Unfinished jobs that would adopt a pod that nobody controls. */
  const adopters = (pod: Pod): Job[] => {
    if (controllerOf(pod) !== undefined || isDeleting(pod)) return [];
    return jobs
      .listNamespace(pod.metadata.namespace ?? '')
      .filter((job) => finishedCondition(job) === undefined && !isManagedElsewhere(job))
      .filter((job) => labelSelectorFrom(job.spec?.selector).matches(pod.metadata.labels));
  };
  const onPod = (pod: Pod): void => {
    const job = jobOf(pod);
    if (job !== undefined) queue.add(objectKey(job));
    const wanting = adopters(pod);
    for (const adopter of wanting) queue.add(objectKey(adopter));
    if (wanting.length > 0) return;
    const controller = controllerOf(pod);
    const isOfJob = controller === undefined || isJob(controller);
    if (!hasTracking(pod) || !isOfJob) return;
    if (job === undefined || isReleasable(job)) orphans.queue.add(objectKey(pod));
  };
  const observeDeletion = (pod: Pod): void => {
    const job = jobOf(pod);
    if (job !== undefined) expectations.deletionObserved(objectKey(job), pod.metadata.uid ?? '');
  };
  const observeRelease = (pod: Pod): void => {
    const job = jobOf(pod);
    if (job !== undefined) removals.observed(objectKey(job), pod.metadata.uid ?? '');
  };
  pods.addHandler({
    onAdd(pod) {
      const job = jobOf(pod);
      if (job !== undefined) expectations.creationObserved(objectKey(job));
      if (isDeleting(pod)) observeDeletion(pod);
      onPod(pod);
    },
    onUpdate(old, pod) {
      if (isDeleting(pod)) observeDeletion(pod);
      if (!hasTracking(pod)) observeRelease(pod);
      const former = controllerOf(old)?.uid === controllerOf(pod)?.uid ? undefined : jobOf(old);
      if (former !== undefined) queue.add(objectKey(former));
      onPod(pod);
    },
    onDelete(pod) {
      observeDeletion(pod);
      observeRelease(pod);
      onPod(pod);
    },
  });
  const releasePods = (job: Job): void => {
    for (const pod of pods.byIndex('controller-uid', job.metadata.uid ?? '')) {
      if (hasTracking(pod)) orphans.queue.add(objectKey(pod));
    }
  };
  jobs.addHandler({
    onAdd: (job) => queue.add(objectKey(job)),
    onUpdate(_old, job) {
      queue.add(objectKey(job));
      if (isReleasable(job)) releasePods(job);
    },
    onDelete(job) {
      queue.add(objectKey(job));
      releasePods(job);
    },
  });
  return Promise.all([loop.done, orphans.done]).then(() => undefined);
};

function isJob({ kind, apiVersion }: OwnerReference): boolean {
  return kind === 'Job' && apiVersion === 'batch/v1';
}

/** The job counts its pods no more; those that another controller looks after are left alone. */
function isReleasable(job: Job): boolean {
  return !isManagedElsewhere(job) && finishedCondition(job) !== undefined;
}
