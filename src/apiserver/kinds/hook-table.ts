import type { Authorizer } from '../authz/authorizer.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { KindHooks, KindHookTable } from './kind-hooks.ts';
import { certificateSigningRequestHooks } from './certificate-signing-request.ts';
import { jobHooks } from './job.ts';
import { limitRangeHooks } from './limit-range.ts';
import { namespaceHooks } from './namespace.ts';
import { persistentVolumeHooks } from './persistent-volume.ts';
import { podHooks } from './pod.ts';
import { createResourceClaimHooks } from './resource-claim.ts';
import { resourceSliceHooks } from './resource-slice.ts';
import { secretHooks } from './secret.ts';
import {
  csiDriverWarnings,
  csiStorageCapacityWarnings,
  endpointsWarnings,
  networkPolicyWarnings,
  resourceSliceWarnings,
  runtimeClassWarnings,
} from './warnings/network-kinds.ts';
import { secretWarnings } from './warnings/tls-secrets.ts';
import {
  endpointSliceWarnings,
  ingressWarnings,
  nodeWarnings,
  persistentVolumeClaimWarnings,
  persistentVolumeWarnings,
  serviceAccountWarnings,
  serviceWarnings,
  storageClassKindWarnings,
} from './warnings/cluster-kinds.ts';
import {
  cronJobWarnings,
  jobWarnings,
  plainWorkloadWarnings,
  podTemplateWarnings,
  podWarnings,
  statefulSetWarnings,
  workloadWarnings,
} from './warnings/workloads.ts';

const returnsDeleted: KindHooks = { returnsDeleted: true };

/** What the built-in kinds need beyond tables. */
export function createKindHooks(options: {
  reader: ObjectReader;
  authorizer: Authorizer;
}): KindHookTable {
  return {
    ...createResourceClaimHooks(options),
    'certificatesigningrequests.certificates.k8s.io': certificateSigningRequestHooks,
    'cronjobs.batch': cronJobWarnings,
    'csidrivers.storage.k8s.io': csiDriverWarnings,
    'csistoragecapacities.storage.k8s.io': csiStorageCapacityWarnings,
    'daemonsets.apps': plainWorkloadWarnings,
    'deployments.apps': workloadWarnings,
    endpoints: endpointsWarnings,
    'endpointslices.discovery.k8s.io': endpointSliceWarnings,
    'ingresses.networking.k8s.io': ingressWarnings,
    'jobs.batch': { ...jobHooks, ...jobWarnings },
    limitranges: limitRangeHooks,
    namespaces: namespaceHooks,
    'networkpolicies.networking.k8s.io': networkPolicyWarnings,
    nodes: nodeWarnings,
    persistentvolumeclaims: { ...returnsDeleted, ...persistentVolumeClaimWarnings },
    persistentvolumes: { ...returnsDeleted, ...persistentVolumeHooks, ...persistentVolumeWarnings },
    pods: { ...podHooks, ...podWarnings },
    podtemplates: { ...returnsDeleted, ...podTemplateWarnings },
    'replicasets.apps': workloadWarnings,
    replicationcontrollers: workloadWarnings,
    resourcequotas: returnsDeleted,
    'resourceslices.resource.k8s.io': { ...resourceSliceHooks, ...resourceSliceWarnings },
    'runtimeclasses.node.k8s.io': runtimeClassWarnings,
    secrets: { ...secretHooks, ...secretWarnings },
    serviceaccounts: { ...returnsDeleted, ...serviceAccountWarnings },
    services: { ...returnsDeleted, ...serviceWarnings },
    'statefulsets.apps': statefulSetWarnings,
    'storageclasses.storage.k8s.io': storageClassKindWarnings,
  };
}

/** Both tables in one; where a kind is in both, the functions of `more` win. */
export function mergeHooks(base: KindHookTable, more: KindHookTable): KindHookTable {
  const merged: Record<string, KindHooks> = { ...base };
  for (const [kind, hooks] of Object.entries(more)) merged[kind] = { ...merged[kind], ...hooks };
  return merged;
}
