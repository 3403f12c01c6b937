import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import type { PodSpec, ResourceSlice } from '../generated/types.ts';
import { dropDisabledDeviceFields } from './disabled-device-fields.ts';
import { dropDisabledPodFields } from './disabled-pod-fields.ts';
import { takeFrom, valueAt } from './paths.ts';

const group = 'spec.schedulingGroup';
const inTemplate: readonly string[] = [`spec.template.${group}`];
const templateSpec = 'spec.template.spec';

/** Where kinds, by `group/Kind`, have the spec of a pod. */
const podSpecs: Readonly<Record<string, string>> = {
  '/Pod': 'spec',
  '/PodTemplate': 'template.spec',
  '/ReplicationController': templateSpec,
  'apps/DaemonSet': templateSpec,
  'apps/Deployment': templateSpec,
  'apps/ReplicaSet': templateSpec,
  'apps/StatefulSet': templateSpec,
  'batch/CronJob': 'spec.jobTemplate.spec.template.spec',
  'batch/Job': templateSpec,
};

/** Fields, by `group/Kind`, of features that are off in this version. */
const disabled: Readonly<Record<string, readonly string[]>> = {
  '/Node': ['spec.configSource', 'status.config'],
  '/Pod': [group, 'status.nodeAllocatableResourceClaimStatuses'],
  '/PodTemplate': [`template.${group}`],
  '/ReplicationController': inTemplate,
  'apps/DaemonSet': inTemplate,
  'apps/Deployment': inTemplate,
  'apps/ReplicaSet': inTemplate,
  'apps/StatefulSet': [...inTemplate, 'spec.updateStrategy.rollingUpdate.maxUnavailable'],
  'batch/CronJob': [`spec.jobTemplate.spec.template.${group}`],
  'batch/Job': inTemplate,
  'coordination.k8s.io/Lease': ['spec.strategy', 'spec.preferredHolder'],
  'storage.k8s.io/CSIDriver': ['spec.preventPodSchedulingIfMissing'],
};

const nothing = {};

/**
 * Takes away what belongs to features that are off, unless the stored object has it already. Works
 * in place; parents of what goes are copied.
 */
export function dropDisabledFields(
  info: ResourceInfo,
  object: UnknownObject,
  old: UnknownObject | undefined,
): void {
  for (const path of disabled[`${info.group}/${info.kind}`] ?? []) {
    if (valueAt(object, path) === undefined) continue;
    if (old === undefined || valueAt(old, path) === undefined) takeFrom(object, nothing, path);
  }
  if (info.kind === 'ResourceSlice') {
    dropDisabledDeviceFields(object as unknown as ResourceSlice, old as ResourceSlice | undefined);
    return;
  }
  const path = podSpecs[`${info.group}/${info.kind}`];
  if (path === undefined) return;
  const before = old === undefined ? undefined : valueAt(old, path);
  dropDisabledPodFields(
    valueAt(object, path) as Partial<PodSpec> | undefined,
    before as Partial<PodSpec> | undefined,
  );
}
