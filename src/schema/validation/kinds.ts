import { configMapRules, secretRules } from './cluster/config-maps.ts';
import { namespaceRules, serviceAccountRules } from './cluster/namespaces.ts';
import { endpointSliceRules } from './network/endpoint-slices.ts';
import { endpointsRules } from './network/endpoints.ts';
import { ingressClassRules, ingressRules } from './network/ingresses.ts';
import { networkPolicyRules } from './network/network-policies.ts';
import { ipAddressRules, serviceCidrRules } from './network/service-cidrs.ts';
import { serviceRules } from './network/services.ts';
import { podRules } from './pods/pod.ts';
import { podTemplateRules } from './pods/template.ts';
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
  '/Namespace': namespaceRules,
  '/Pod': podRules,
  '/PodTemplate': podTemplateRules,
  '/ReplicationController': replicationControllerRules,
  '/Secret': secretRules,
  '/Service': serviceRules,
  '/ServiceAccount': serviceAccountRules,
  'apps/ControllerRevision': controllerRevisionRules,
  'apps/DaemonSet': daemonSetRules,
  'apps/Deployment': deploymentRules,
  'apps/ReplicaSet': replicaSetRules,
  'apps/StatefulSet': statefulSetRules,
  'batch/CronJob': cronJobRules,
  'batch/Job': jobRules,
  'discovery.k8s.io/EndpointSlice': endpointSliceRules,
  'networking.k8s.io/IPAddress': ipAddressRules,
  'networking.k8s.io/Ingress': ingressRules,
  'networking.k8s.io/IngressClass': ingressClassRules,
  'networking.k8s.io/NetworkPolicy': networkPolicyRules,
  'networking.k8s.io/ServiceCIDR': serviceCidrRules,
};
