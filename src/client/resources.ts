import type { GroupVersionResource } from '#schema/mod.ts';

const core = (resource: string): GroupVersionResource => ({ group: '', version: 'v1', resource });
const of = (group: string, version: string, resource: string): GroupVersionResource => ({
  group,
  version,
  resource,
});

/** The resources that k3ts' own components talk about. */
export const resources = {
  bindings: core('bindings'),
  configMaps: core('configmaps'),
  endpoints: core('endpoints'),
  events: core('events'),
  limitRanges: core('limitranges'),
  namespaces: core('namespaces'),
  nodes: core('nodes'),
  persistentVolumeClaims: core('persistentvolumeclaims'),
  persistentVolumes: core('persistentvolumes'),
  pods: core('pods'),
  podTemplates: core('podtemplates'),
  replicationControllers: core('replicationcontrollers'),
  resourceQuotas: core('resourcequotas'),
  secrets: core('secrets'),
  serviceAccounts: core('serviceaccounts'),
  services: core('services'),
  controllerRevisions: of('apps', 'v1', 'controllerrevisions'),
  daemonSets: of('apps', 'v1', 'daemonsets'),
  deployments: of('apps', 'v1', 'deployments'),
  replicaSets: of('apps', 'v1', 'replicasets'),
  statefulSets: of('apps', 'v1', 'statefulsets'),
  cronJobs: of('batch', 'v1', 'cronjobs'),
  jobs: of('batch', 'v1', 'jobs'),
  endpointSlices: of('discovery.k8s.io', 'v1', 'endpointslices'),
  leases: of('coordination.k8s.io', 'v1', 'leases'),
  clusterRoles: of('rbac.authorization.k8s.io', 'v1', 'clusterroles'),
  clusterRoleBindings: of('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings'),
  roles: of('rbac.authorization.k8s.io', 'v1', 'roles'),
  roleBindings: of('rbac.authorization.k8s.io', 'v1', 'rolebindings'),
  priorityClasses: of('scheduling.k8s.io', 'v1', 'priorityclasses'),
  runtimeClasses: of('node.k8s.io', 'v1', 'runtimeclasses'),
  storageClasses: of('storage.k8s.io', 'v1', 'storageclasses'),
  csiNodes: of('storage.k8s.io', 'v1', 'csinodes'),
  podDisruptionBudgets: of('policy', 'v1', 'poddisruptionbudgets'),
  tokenReviews: of('authentication.k8s.io', 'v1', 'tokenreviews'),
  subjectAccessReviews: of('authorization.k8s.io', 'v1', 'subjectaccessreviews'),
  certificateSigningRequests: of('certificates.k8s.io', 'v1', 'certificatesigningrequests'),
} as const;
