/**
 * Notices silent nodes, taints nodes by their conditions, and sends pods away from nodes with
 * NoExecute taints. Start reading at node-lifecycle-controller.ts; taint-eviction.ts is a
 * controller of its own.
 */
export { startNodeLifecycleController } from './node-lifecycle-controller.ts';
export { startTaintEviction } from './taint-eviction.ts';
