/**
 * Keeps one pod of a DaemonSet on each node that its template fits. It does not bind them: the
 * scheduler does, by the affinity to the node's name. Start reading at daemon-set-controller.ts,
 * then placement.ts.
 */
export { startDaemonSetController } from './daemon-set-controller.ts';
