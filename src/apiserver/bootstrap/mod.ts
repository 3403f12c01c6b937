/**
 * What every cluster starts with, brought into place at each start through the client: namespaces,
 * roles, priority classes, flow control, the kubernetes Service. It creates nothing that a
 * controller owns. Start reading at bootstrap.ts.
 */
export { createAddressLeases } from './address-leases.ts';
export type { AddressLeases } from './address-leases.ts';
export { bootstrapCluster } from './bootstrap.ts';
export type { BootstrapOptions } from './bootstrap.ts';
export type { ClusterTrust } from './cluster-objects.ts';
export { keepDefaultServiceCidr } from './default-service-cidr.ts';
export { keepTrust } from './keep-trust.ts';
export { reconcileApiServerEndpoints, reconcileKubernetesService } from './kubernetes-service.ts';
export { defaultNodeRules } from './rbac-defaults.ts';
export { apiServerId, keepIdentityLease } from './identity-lease.ts';
export { keepFlowControl } from './keep-flow-control.ts';
