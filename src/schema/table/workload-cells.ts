import { humanDuration } from '#base/duration.ts';
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../generated/types.ts';
import type { Cell } from './cell-text.ts';
import { age, containerCells, labelText, none, selectorText, unset } from './cell-text.ts';

export function deploymentCells({ metadata, spec, status }: Deployment, nowMs: number): Cell[] {
  return [
    metadata.name,
    `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0,
    age(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.template.spec),
    selectorText(spec?.selector),
  ];
}

export function replicaSetCells({ metadata, spec, status }: ReplicaSet, nowMs: number): Cell[] {
  return [
    metadata.name,
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.template?.spec),
    selectorText(spec?.selector),
  ];
}

export function replicationControllerCells(
  { metadata, spec, status }: ReplicationController,
  nowMs: number,
): Cell[] {
  return [
    metadata.name,
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.template?.spec),
    labelText(spec?.selector),
  ];
}

export function statefulSetCells({ metadata, spec, status }: StatefulSet, nowMs: number): Cell[] {
  return [
    metadata.name,
    `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    age(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.template.spec),
  ];
}

export function daemonSetCells({ metadata, spec, status }: DaemonSet, nowMs: number): Cell[] {
  return [
    metadata.name,
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    labelText(spec?.template.spec?.nodeSelector),
    age(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.template.spec),
    selectorText(spec?.selector),
  ];
}

function jobStatus({ metadata, status }: Job): string {
  const is = (type: string): boolean =>
    status?.conditions?.some((item) => item.type === type && item.status === 'True') === true;
  for (const type of ['Complete', 'Failed']) if (is(type)) return type;
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'])
    if (is(type)) return type;
  return 'Running';
}

function completions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

export function jobCells(job: Job, nowMs: number): Cell[] {
  const { metadata, spec, status } = job;
  const endMs = status?.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  const { startTime } = status ?? {};
  return [
    metadata.name,
    jobStatus(job),
    completions(job),
    startTime === undefined ? '' : humanDuration(endMs - Date.parse(startTime)),
    age(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.template.spec),
    selectorText(spec?.selector),
  ];
}

export function cronJobCells({ metadata, spec, status }: CronJob, nowMs: number): Cell[] {
  const lastTime = status?.lastScheduleTime;
  const suspend = spec?.suspend;
  return [
    metadata.name,
    spec?.schedule ?? '',
    spec?.timeZone ?? none,
    suspend === undefined ? unset : suspend ? 'True' : 'False',
    status?.active?.length ?? 0,
    lastTime === undefined ? none : age(lastTime, nowMs),
    age(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.jobTemplate.spec?.template.spec),
    selectorText(spec?.jobTemplate.spec?.selector),
  ];
}

export function disruptionBudgetCells(
  { metadata, spec, status }: PodDisruptionBudget,
  nowMs: number,
): Cell[] {
  return [
    metadata.name,
    String(spec?.minAvailable ?? 'N/A'),
    String(spec?.maxUnavailable ?? 'N/A'),
    status?.disruptionsAllowed ?? 0,
    age(metadata.creationTimestamp, nowMs),
  ];
}

export function controllerRevisionCells(object: ControllerRevision, nowMs: number): Cell[] {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  let controller = none;
  if (owner !== undefined) {
    const slash = owner.apiVersion.indexOf('/');
    const group = slash < 0 ? '' : `.${owner.apiVersion.slice(0, slash)}`;
    controller = `${owner.kind.toLowerCase()}${group}/${owner.name}`;
  }
  const { name, creationTimestamp } = object.metadata;
  return [name, controller, object.revision, age(creationTimestamp, nowMs)];
}
