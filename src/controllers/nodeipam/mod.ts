/** Gives each node its part of the pod ranges. Start reading at node-ipam-controller.ts. */
export { startNodeIpamController } from './node-ipam-controller.ts';
