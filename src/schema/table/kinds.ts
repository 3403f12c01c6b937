/** Which function makes the row of which kind; other kinds have no columns of their own. */
import type { KubeObject } from '../object.ts';
import * as access from './access-cells.ts';
import { autoscalerCells } from './autoscaler-cells.ts';
import type { Cell } from './cell-text.ts';
import * as cluster from './cluster-cells.ts';
import * as network from './network-cells.ts';
import { podCells, podTemplateCells } from './pod-cells.ts';
import * as storage from './storage-cells.ts';
import * as workload from './workload-cells.ts';

type CellsOf = (object: KubeObject, nowMs: number) => Cell[];

/** Rows are typed by kind; the table below is what makes the pairing right. */
function forKind(cells: (object: never, nowMs: number) => Cell[]): CellsOf {
  return cells as CellsOf;
}

export const cellsByKind: Readonly<Record<string, CellsOf>> = {
  Pod: forKind(podCells),
  PodTemplate: forKind(podTemplateCells),
  PodDisruptionBudget: forKind(workload.disruptionBudgetCells),
  ReplicationController: forKind(workload.replicationControllerCells),
  ReplicaSet: forKind(workload.replicaSetCells),
  DaemonSet: forKind(workload.daemonSetCells),
  Job: forKind(workload.jobCells),
  CronJob: forKind(workload.cronJobCells),
  Service: forKind(network.serviceCells),
  Ingress: forKind(network.ingressCells),
  IngressClass: forKind(network.ingressClassCells),
  StatefulSet: forKind(workload.statefulSetCells),
  Endpoints: forKind(network.endpointsCells),
  Node: forKind(cluster.nodeCells),
  Event: forKind(cluster.eventCells),
  Namespace: forKind(cluster.namespaceCells),
  Secret: forKind(cluster.secretCells),
  ServiceAccount: forKind(cluster.nameAndAge),
  PersistentVolume: forKind(storage.persistentVolumeCells),
  PersistentVolumeClaim: forKind(storage.persistentVolumeClaimCells),
  ComponentStatus: forKind(cluster.componentStatusCells),
  Deployment: forKind(workload.deploymentCells),
  HorizontalPodAutoscaler: forKind(autoscalerCells),
  ConfigMap: forKind(cluster.configMapCells),
  NetworkPolicy: forKind(network.networkPolicyCells),
  RoleBinding: forKind(access.roleBindingCells),
  ClusterRoleBinding: forKind(access.roleBindingCells),
  CertificateSigningRequest: forKind(access.signingRequestCells),
  Lease: forKind(cluster.leaseCells),
  StorageClass: forKind(storage.storageClassCells),
  VolumeAttributesClass: forKind(storage.volumeAttributesClassCells),
  Status: forKind(cluster.statusCells),
  ControllerRevision: forKind(workload.controllerRevisionCells),
  ResourceQuota: forKind(cluster.resourceQuotaCells),
  PriorityClass: forKind(cluster.priorityClassCells),
  RuntimeClass: forKind(cluster.runtimeClassCells),
  VolumeAttachment: forKind(storage.volumeAttachmentCells),
  EndpointSlice: forKind(network.endpointSliceCells),
  CSINode: forKind(storage.csiNodeCells),
  CSIDriver: forKind(storage.csiDriverCells),
  MutatingWebhookConfiguration: forKind(access.webhookCells),
  ValidatingWebhookConfiguration: forKind(access.webhookCells),
  ValidatingAdmissionPolicy: forKind(access.validatingPolicyCells),
  ValidatingAdmissionPolicyBinding: forKind(access.policyBindingCells),
  MutatingAdmissionPolicy: forKind(access.mutatingPolicyCells),
  MutatingAdmissionPolicyBinding: forKind(access.policyBindingCells),
  FlowSchema: forKind(access.flowSchemaCells),
  PriorityLevelConfiguration: forKind(access.priorityLevelCells),
  Scale: forKind(cluster.scaleCells),
  DeviceClass: forKind(cluster.nameAndAge),
  ResourceClaim: forKind(storage.resourceClaimCells),
  ResourceClaimTemplate: forKind(cluster.nameAndAge),
  ResourceSlice: forKind(storage.resourceSliceCells),
  ServiceCIDR: forKind(network.serviceCidrCells),
  IPAddress: forKind(network.ipAddressCells),
  APIService: forKind(cluster.apiServiceCells),
};
