import { startAttachDetachController } from './attachdetach/mod.ts';
import { startCronJobController } from './cronjob/mod.ts';
import { startDaemonSetController } from './daemonset/mod.ts';
import { startDeploymentController } from './deployment/mod.ts';
import type { StartController } from './context.ts';
import { startEndpointsController } from './endpoints/mod.ts';
import { startEndpointSliceController } from './endpointslice/mod.ts';
import { startGarbageCollector } from './garbagecollector/mod.ts';
import { startJobController } from './job/mod.ts';
import { startNamespaceController } from './namespace/mod.ts';
import { startNodeIpamController } from './nodeipam/mod.ts';
import { startNodeLifecycleController, startTaintEviction } from './nodelifecycle/mod.ts';
import { startHorizontalPodAutoscaler } from './podautoscaler/mod.ts';
import { startPodGarbageCollector } from './podgc/mod.ts';
import { startReplicaSetController, startReplicationController } from './replicaset/mod.ts';
import { startRootCaPublisher } from './root-ca-publisher/mod.ts';
import { startServiceAccountController } from './serviceaccount/mod.ts';
import { startStatefulSetController } from './statefulset/mod.ts';
import { startDisruptionController } from './disruption/mod.ts';
import { startResourceClaimController } from './resourceclaim/mod.ts';
import { startResourceQuotaController } from './resourcequota/mod.ts';
import { startClusterRoleAggregation } from './clusterroleaggregation/mod.ts';
import {
  startAttributesClassProtection,
  startClaimProtection,
  startVolumeProtection,
} from './storageprotection/mod.ts';
import { startEphemeralVolumeController } from './ephemeralvolume/mod.ts';
import {
  startCertificateApproving,
  startCertificateCleaner,
  startCertificateSigning,
} from './certificates/mod.ts';
import {
  startLegacyTokenCleaner,
  startServiceAccountTokenController,
} from './serviceaccounttoken/mod.ts';
import { startBootstrapSigner, startTokenCleaner } from './bootstraptoken/mod.ts';
import { startEndpointSliceMirroring } from './endpointslicemirroring/mod.ts';
import { startClaimExpander, startPersistentVolumeBinder } from './persistentvolume/mod.ts';
import { startServiceCidrController } from './servicecidrs/mod.ts';
import { startTtlController } from './ttl/mod.ts';
import { startTtlAfterFinished } from './ttlafterfinished/mod.ts';

/** Every controller by upstream's name, which --controllers and events use. */
export const controllers = {
  'deployment-controller': startDeploymentController,
  'replicaset-controller': startReplicaSetController,
  'replicationcontroller-controller': startReplicationController,
  'statefulset-controller': startStatefulSetController,
  'daemonset-controller': startDaemonSetController,
  'job-controller': startJobController,
  'cronjob-controller': startCronJobController,
  'ttl-after-finished-controller': startTtlAfterFinished,
  'endpoints-controller': startEndpointsController,
  'endpointslice-controller': startEndpointSliceController,
  'namespace-controller': startNamespaceController,
  'serviceaccount-controller': startServiceAccountController,
  'root-ca-certificate-publisher-controller': startRootCaPublisher,
  'garbage-collector-controller': startGarbageCollector,
  'node-lifecycle-controller': startNodeLifecycleController,
  'taint-eviction-controller': startTaintEviction,
  'node-ipam-controller': startNodeIpamController,
  'pod-garbage-collector-controller': startPodGarbageCollector,
  'horizontal-pod-autoscaler-controller': startHorizontalPodAutoscaler,
  'disruption-controller': startDisruptionController,
  'resourcequota-controller': startResourceQuotaController,
  'clusterrole-aggregation-controller': startClusterRoleAggregation,
  'persistentvolumeclaim-protection-controller': startClaimProtection,
  'persistentvolume-protection-controller': startVolumeProtection,
  'volumeattributesclass-protection-controller': startAttributesClassProtection,
  'ephemeral-volume-controller': startEphemeralVolumeController,
  'certificatesigningrequest-signing-controller': startCertificateSigning,
  'certificatesigningrequest-approving-controller': startCertificateApproving,
  'certificatesigningrequest-cleaner-controller': startCertificateCleaner,
  'serviceaccount-token-controller': startServiceAccountTokenController,
  'legacy-serviceaccount-token-cleaner-controller': startLegacyTokenCleaner,
  'bootstrap-signer-controller': startBootstrapSigner,
  'token-cleaner-controller': startTokenCleaner,
  'endpointslice-mirroring-controller': startEndpointSliceMirroring,
  'persistentvolume-binder-controller': startPersistentVolumeBinder,
  'persistentvolume-expander-controller': startClaimExpander,
  'persistentvolume-attach-detach-controller': startAttachDetachController,
  'service-cidr-controller': startServiceCidrController,
  'ttl-controller': startTtlController,
  'resourceclaim-controller': startResourceClaimController,
} as const satisfies Record<string, StartController>;

export type ControllerName = keyof typeof controllers;

/** Only started when they are asked for, as upstream. */
export const offByDefault: ReadonlySet<ControllerName> = new Set(['bootstrap-signer-controller']);

/** source.component of the events of each controller, where it is not the name itself. */
export const eventComponents: Partial<Record<ControllerName, string>> = {
  'replicationcontroller-controller': 'replication-controller',
  'endpoints-controller': 'endpoint-controller',
  'endpointslice-controller': 'endpoint-slice-controller',
  'endpointslice-mirroring-controller': 'endpoint-slice-mirroring-controller',
  'node-lifecycle-controller': 'node-controller',
  'taint-eviction-controller': 'taint-eviction-controller',
  'node-ipam-controller': 'cidrAllocator',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'disruption-controller': 'controllermanager',
  'persistentvolume-binder-controller': 'persistentvolume-controller',
  'persistentvolume-expander-controller': 'volume_expand',
  'persistentvolume-attach-detach-controller': 'attachdetach-controller',
  'ephemeral-volume-controller': 'ephemeral_volume',
  'resourceclaim-controller': 'resource_claim',
};
