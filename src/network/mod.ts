/**
 * The pod network of one node: the CNI configuration that the runtime reads, flannel's VXLAN
 * device and subnet file, and the masquerading of what leaves the cluster. Knows no Services (that
 * is proxy/). Start reading at pod-network.ts.
 */
export { startPodNetwork } from './pod-network.ts';
export type { PodNetwork, PodNetworkOptions } from './pod-network.ts';
