import {
  localSubjectAccessReviewRules,
  selfSubjectAccessReviewRules,
  subjectAccessReviewRules,
} from './access/access-reviews.ts';
import {
  clusterRoleBindingRules,
  clusterRoleRules,
  roleBindingRules,
  roleRules,
} from './access/roles.ts';
import { signingRequestRules } from './access/signing-requests.ts';
import { autoscalerRules, autoscalerV1Rules } from './autoscaling/autoscalers.ts';
import { configMapRules, secretRules } from './cluster/config-maps.ts';
import { podDisruptionBudgetRules } from './cluster/disruption-budgets.ts';
import { coreEventRules, eventRules } from './cluster/events.ts';
import { leaseRules } from './cluster/leases.ts';
import { limitRangeRules } from './cluster/limit-ranges.ts';
import { namespaceRules, serviceAccountRules } from './cluster/namespaces.ts';
import { nodeRules } from './cluster/nodes.ts';
import { priorityClassRules } from './cluster/priority-classes.ts';
import { resourceQuotaRules } from './cluster/resource-quotas.ts';
import { runtimeClassRules } from './cluster/runtime-classes.ts';
import {
  deviceClassRules,
  resourceClaimRules,
  resourceClaimTemplateRules,
} from './devices/claims.ts';
import { resourceSliceRules } from './devices/slices.ts';
import {
  mutatingPolicyBindingRules,
  mutatingPolicyRules,
  validatingPolicyBindingRules,
  validatingPolicyRules,
} from './extension/admission-policies.ts';
import { apiServiceRules } from './extension/api-services.ts';
import { definitionRules } from './extension/definitions.ts';
import { mutatingWebhookRules, validatingWebhookRules } from './extension/webhooks.ts';
import { flowSchemaRules } from './flowcontrol/flow-schemas.ts';
import { priorityLevelRules } from './flowcontrol/priority-levels.ts';
import { endpointSliceRules } from './network/endpoint-slices.ts';
import { endpointsRules } from './network/endpoints.ts';
import { ingressClassRules, ingressRules } from './network/ingresses.ts';
import { networkPolicyRules } from './network/network-policies.ts';
import { ipAddressRules, serviceCidrRules } from './network/service-cidrs.ts';
import { serviceRules } from './network/services.ts';
import { podRules } from './pods/pod.ts';
import { podTemplateRules } from './pods/template.ts';
import { claimRules } from './storage/claims.ts';
import { storageClassRules, volumeAttributesClassRules } from './storage/classes.ts';
import { csiDriverRules, csiNodeRules, csiStorageCapacityRules } from './storage/csi.ts';
import { volumeAttachmentRules, volumeRules } from './storage/volumes.ts';
import { cronJobRules } from './workloads/cron-jobs.ts';
import { daemonSetRules } from './workloads/daemon-sets.ts';
import { deploymentRules } from './workloads/deployments.ts';
import { jobRules } from './workloads/jobs.ts';
import {
  controllerRevisionRules,
  replicaSetRules,
  replicationControllerRules,
} from './workloads/replica-sets.ts';
import { statefulSetRules } from './workloads/stateful-sets.ts';
import type { AnyKindRules } from './kind-rules.ts';

/** By `group/Kind`, or `group/Kind/version` where versions differ. */
export const kindRules: Readonly<Record<string, AnyKindRules>> = {
  '/ConfigMap': configMapRules,
  '/Endpoints': endpointsRules,
  '/Event': coreEventRules,
  '/LimitRange': limitRangeRules,
  '/Namespace': namespaceRules,
  '/Node': nodeRules,
  '/PersistentVolume': volumeRules,
  '/PersistentVolumeClaim': claimRules,
  '/Pod': podRules,
  '/PodTemplate': podTemplateRules,
  '/ReplicationController': replicationControllerRules,
  '/ResourceQuota': resourceQuotaRules,
  '/Secret': secretRules,
  '/Service': serviceRules,
  '/ServiceAccount': serviceAccountRules,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': mutatingPolicyRules,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': mutatingPolicyBindingRules,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': mutatingWebhookRules,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': validatingPolicyRules,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': validatingPolicyBindingRules,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': validatingWebhookRules,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionRules,
  'apiregistration.k8s.io/APIService': apiServiceRules,
  'apps/ControllerRevision': controllerRevisionRules,
  'apps/DaemonSet': daemonSetRules,
  'apps/Deployment': deploymentRules,
  'apps/ReplicaSet': replicaSetRules,
  'apps/StatefulSet': statefulSetRules,
  'authorization.k8s.io/LocalSubjectAccessReview': localSubjectAccessReviewRules,
  'authorization.k8s.io/SelfSubjectAccessReview': selfSubjectAccessReviewRules,
  'authorization.k8s.io/SubjectAccessReview': subjectAccessReviewRules,
  'autoscaling/HorizontalPodAutoscaler': autoscalerRules,
  'autoscaling/HorizontalPodAutoscaler/v1': autoscalerV1Rules,
  'batch/CronJob': cronJobRules,
  'batch/Job': jobRules,
  'certificates.k8s.io/CertificateSigningRequest': signingRequestRules,
  'coordination.k8s.io/Lease': leaseRules,
  'discovery.k8s.io/EndpointSlice': endpointSliceRules,
  'events.k8s.io/Event': eventRules,
  'flowcontrol.apiserver.k8s.io/FlowSchema': flowSchemaRules,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': priorityLevelRules,
  'networking.k8s.io/IPAddress': ipAddressRules,
  'networking.k8s.io/Ingress': ingressRules,
  'networking.k8s.io/IngressClass': ingressClassRules,
  'networking.k8s.io/NetworkPolicy': networkPolicyRules,
  'networking.k8s.io/ServiceCIDR': serviceCidrRules,
  'node.k8s.io/RuntimeClass': runtimeClassRules,
  'policy/PodDisruptionBudget': podDisruptionBudgetRules,
  'rbac.authorization.k8s.io/ClusterRole': clusterRoleRules,
  'rbac.authorization.k8s.io/ClusterRoleBinding': clusterRoleBindingRules,
  'rbac.authorization.k8s.io/Role': roleRules,
  'rbac.authorization.k8s.io/RoleBinding': roleBindingRules,
  'resource.k8s.io/DeviceClass': deviceClassRules,
  'resource.k8s.io/ResourceClaim': resourceClaimRules,
  'resource.k8s.io/ResourceClaimTemplate': resourceClaimTemplateRules,
  'resource.k8s.io/ResourceSlice': resourceSliceRules,
  'scheduling.k8s.io/PriorityClass': priorityClassRules,
  'storage.k8s.io/CSIDriver': csiDriverRules,
  'storage.k8s.io/CSINode': csiNodeRules,
  'storage.k8s.io/CSIStorageCapacity': csiStorageCapacityRules,
  'storage.k8s.io/StorageClass': storageClassRules,
  'storage.k8s.io/VolumeAttachment': volumeAttachmentRules,
  'storage.k8s.io/VolumeAttributesClass': volumeAttributesClassRules,
};
