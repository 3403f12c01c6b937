/**
 * Keeps pods with a name and storage of their own, one after the other. The decisions of a sync
 * are in sync-pods.ts; start reading at stateful-set-controller.ts.
 */
export { startStatefulSetController } from './stateful-set-controller.ts';
