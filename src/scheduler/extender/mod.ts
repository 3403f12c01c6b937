/**
 * Extenders: services outside that filter, score, preempt and bind over HTTP, as upstream's
 * kube-scheduler asks them. Which there are is said in KubeSchedulerConfiguration. Start reading at
 * extender.ts; http-post.ts is the wire.
 */
export { createExtender } from './extender.ts';
export type { Extender } from './extender.ts';
export { narrowVictims } from './narrow-victims.ts';
