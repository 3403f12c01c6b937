import { catalog } from '../catalog.ts';
import type { ResourceInfo } from '../resource-info.ts';

export interface KindRules {
  /** Paths whose change bumps metadata.generation; absent for kinds without a generation. */
  readonly generation?: readonly string[];
  /** Generation of a new object; 0 means that it has none until the first bump. */
  readonly firstGeneration?: number;
  /** Status of a new object; `keep` leaves what the client sent, as for nodes. */
  readonly initialStatus?: 'keep' | Readonly<Record<string, unknown>>;
  /** Paths taken from the stored object, by subresource; '' is the object itself. */
  readonly resets: Readonly<Record<string, readonly string[]>>;
  /** Paths that alone count in a write through a subresource; `*` is any item of a list. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
}

/** Stands for what upstream calls the metadata of a status write: all that users may change. */
export const userMetadata: readonly string[] = [
  'metadata.labels',
  'metadata.annotations',
  'metadata.finalizers',
  'metadata.ownerReferences',
  'metadata.deletionTimestamp',
  'metadata.generation',
];

const spec: readonly string[] = ['spec'];
const usual = { '': ['status'], status: spec };
/** Kinds whose status writes keep labels, annotations and finalizers too. */
const strict = { '': ['status'], status: ['spec', 'metadata'] };
const bySpec: KindRules = { generation: spec, resets: usual };
const bySpecStrict: KindRules = { generation: spec, resets: strict };
const bySpecOnly: KindRules = { generation: spec, resets: {} };
const plain: KindRules = { resets: usual };
const byWebhooks: KindRules = { generation: ['webhooks'], resets: {} };

/** By `group/Kind`. Kinds that are not named have neither status nor generation. */
const builtIn: Readonly<Record<string, KindRules>> = {
  '/Namespace': {
    initialStatus: { phase: 'Active' },
    resets: { '': ['status', 'spec.finalizers'], status: spec, finalize: ['status'] },
  },
  '/Node': { initialStatus: 'keep', resets: usual },
  '/PersistentVolume': { initialStatus: { phase: 'Pending' }, resets: usual },
  '/PersistentVolumeClaim': { initialStatus: { phase: 'Pending' }, resets: usual },
  '/Pod': {
    generation: spec,
    initialStatus: { phase: 'Pending' },
    resets: {
      '': ['status'],
      status: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
    },
    only: {
      ephemeralcontainers: ['spec.ephemeralContainers'],
      resize: [
        'spec.containers.*.resources',
        'spec.containers.*.resizePolicy',
        'spec.initContainers.*.resources',
        'spec.initContainers.*.resizePolicy',
        'spec.resources',
      ],
    },
  },
  '/PodTemplate': { generation: ['template'], resets: {} },
  '/ReplicationController': bySpec,
  '/ResourceQuota': plain,
  '/Service': plain,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': bySpecOnly,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': bySpecOnly,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': byWebhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': bySpecStrict,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': bySpecOnly,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': byWebhooks,
  'apiextensions.k8s.io/CustomResourceDefinition': bySpecStrict,
  'apiregistration.k8s.io/APIService': { resets: strict },
  'apps/DaemonSet': bySpec,
  'apps/Deployment': {
    generation: ['spec', 'metadata.annotations'],
    resets: { '': ['status'], status: ['spec', 'metadata.labels'] },
  },
  'apps/ReplicaSet': bySpec,
  'apps/StatefulSet': bySpec,
  'autoscaling/HorizontalPodAutoscaler': plain,
  'batch/CronJob': bySpec,
  'batch/Job': bySpec,
  'certificates.k8s.io/CertificateSigningRequest': {
    resets: {
      '': ['spec', 'status'],
      status: ['spec', 'status.conditions'],
      approval: ['spec', 'status.certificate'],
    },
  },
  'discovery.k8s.io/EndpointSlice': {
    generation: ['addressType', 'endpoints', 'ports', 'metadata.labels'],
    resets: {},
  },
  'flowcontrol.apiserver.k8s.io/FlowSchema': bySpecStrict,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': bySpecStrict,
  'networking.k8s.io/Ingress': bySpec,
  'networking.k8s.io/IngressClass': bySpecOnly,
  'networking.k8s.io/NetworkPolicy': bySpecOnly,
  'networking.k8s.io/ServiceCIDR': { resets: strict },
  'policy/PodDisruptionBudget': bySpec,
  'resource.k8s.io/DeviceClass': bySpecOnly,
  'resource.k8s.io/ResourceClaim': { resets: strict },
  'resource.k8s.io/ResourceSlice': bySpecOnly,
  'scheduling.k8s.io/PriorityClass': { generation: [], resets: {} },
  'storage.k8s.io/CSIDriver': { generation: spec, firstGeneration: 0, resets: {} },
  'storage.k8s.io/VolumeAttachment': { resets: strict },
};

const none: KindRules = { resets: {} };

/** Whether the API server carries this kind itself; else it is a custom resource. */
export function isBuiltIn(info: ResourceInfo): boolean {
  return catalog.byResource(info)?.kind === info.kind;
}

/** The rules of a built-in kind. */
export function rulesOf(info: ResourceInfo): KindRules {
  return builtIn[`${info.group}/${info.kind}`] ?? none;
}

export function hasStatus(info: ResourceInfo): boolean {
  return info.subresources.some((subresource) => subresource.name === 'status');
}

const noFields: readonly string[] = [];
const statusOnly: readonly string[] = ['status'];
const allButStatus: readonly string[] = ['spec', 'metadata'];

/**
 * Paths that writes through this subresource have no effect on. Server-side apply leaves them out
 * of what a manager owns; `metadata` stands for labels, annotations and the like.
 */
export function resetFieldsOf(info: ResourceInfo, subresource: string): readonly string[] {
  if (isBuiltIn(info)) {
    const { resets } = rulesOf(info);
    return resets[subresource] ?? resets[''] ?? noFields;
  }
  if (!hasStatus(info)) return noFields;
  return subresource === 'status' ? allButStatus : statusOnly;
}

/** The paths that alone count in writes through this subresource; undefined when all others do. */
export function onlyFieldsOf(
  info: ResourceInfo,
  subresource: string,
): readonly string[] | undefined {
  if (subresource === '' || !isBuiltIn(info)) return undefined;
  return rulesOf(info).only?.[subresource];
}
