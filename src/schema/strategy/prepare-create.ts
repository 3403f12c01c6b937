import { applyDefaults } from '../defaults/apply.ts';
import type {
  CustomResourceDefinition,
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '../generated/types.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { fieldOf } from '../type-table/type-table.ts';
import { linkDataSources } from './claim-data-sources.ts';
import { dropDisabledFields } from './disabled-fields.ts';
import { startGeneration } from './generation.ts';
import { hasStatus, isBuiltIn, rulesOf } from './kind-rules.ts';
import { mergeMatchLabelKeys } from './match-label-keys.ts';
import { podQosClass } from '../pods/mod.ts';
import { storeVersion } from './stored-versions.ts';
import { keepSecretNames } from './secret-references.ts';
import { dropTopology } from './slice-topology.ts';
import { setTemplateGeneration } from './template-generation.ts';

/** By `group/Kind`: what creation sets beyond the rules of the table. */
const setters: Readonly<Record<string, (object: UnknownObject) => void>> = {
  '/Namespace': (object) => finalizeByKubernetes(object),
  '/PersistentVolume': (object) => {
    const status = (object as PersistentVolume).status ?? {};
    (object as PersistentVolume).status = {
      ...status,
      lastPhaseTransitionTime: object.metadata.creationTimestamp,
    };
  },
  '/PersistentVolumeClaim': ({ spec }: PersistentVolumeClaim) => linkDataSources(spec, undefined),
  '/Pod': (object) => {
    mergeMatchLabelKeys(object);
    startPodStatus(object);
  },
  'apiextensions.k8s.io/CustomResourceDefinition': (object) => {
    storeVersion(object as unknown as CustomResourceDefinition);
  },
  '/ServiceAccount': keepSecretNames,
  'apps/DaemonSet': (object) => setTemplateGeneration(object, undefined),
  'discovery.k8s.io/EndpointSlice': (object) => dropTopology(object, undefined),
};

/**
 * Brings a new object into its first form, in place: status as upstream starts it, generation,
 * no deletion marks and no self link. Name, uid and creationTimestamp are the caller's and must be
 * set before. The object must have its defaults.
 */
export function prepareForCreate(info: ResourceInfo, object: UnknownObject): void {
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  startGeneration(info, object);
  if (!isBuiltIn(info)) {
    if (hasStatus(info)) delete object['status'];
    return;
  }
  dropDisabledFields(info, object, undefined);
  startStatus(info, object);
  setters[`${info.group}/${info.kind}`]?.(object);
}

/** Replaces the status by the one that Go's empty struct is written as, plus the kind's own. */
function startStatus(info: ResourceInfo, object: UnknownObject): void {
  const { initialStatus } = rulesOf(info);
  if (initialStatus === 'keep') return;
  if (initialStatus === undefined && !hasStatus(info)) return;
  const status: Record<string, unknown> = { ...initialStatus };
  const statusType = fieldOf(info.typeName, 'status')?.typeName;
  if (statusType !== undefined) applyDefaults(status, statusType);
  object['status'] = status;
}

function finalizeByKubernetes(namespace: Namespace): void {
  const finalizers = namespace.spec?.finalizers ?? [];
  if (finalizers.includes('kubernetes')) return;
  namespace.spec = { ...namespace.spec, finalizers: [...finalizers, 'kubernetes'] };
}

function startPodStatus(pod: Pod): void {
  const status = { ...pod.status, qosClass: podQosClass(pod.spec) };
  pod.status = status;
  if ((pod.spec?.schedulingGates?.length ?? 0) === 0) return;
  status.conditions = [
    {
      type: 'PodScheduled',
      status: 'False',
      ...(pod.metadata.creationTimestamp === undefined
        ? {}
        : { lastTransitionTime: pod.metadata.creationTimestamp }),
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ];
}
