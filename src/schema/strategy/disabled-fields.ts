import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { takeFrom, valueAt } from './paths.ts';

const group = 'spec.schedulingGroup';
const inTemplate: readonly string[] = [`spec.template.${group}`];

/** Fields, by `group/Kind`, of features that are off in this version. */
const disabled: Readonly<Record<string, readonly string[]>> = {
  '/Pod': [group],
  '/PodTemplate': [`template.${group}`],
  '/ReplicationController': inTemplate,
  'apps/DaemonSet': inTemplate,
  'apps/Deployment': inTemplate,
  'apps/ReplicaSet': inTemplate,
  'apps/StatefulSet': [...inTemplate, 'spec.updateStrategy.rollingUpdate.maxUnavailable'],
  'batch/CronJob': [`spec.jobTemplate.spec.template.${group}`],
  'batch/Job': inTemplate,
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
}
