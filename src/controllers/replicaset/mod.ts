/**
 * Keeps as many pods as ReplicaSets and ReplicationControllers want. It does not know Deployments
 * beyond counting related pods. Start reading at replica-set-controller.ts.
 */
export { startReplicaSetController, startReplicationController } from './replica-set-controller.ts';
