/**
 * Finds a node for each pod: queue, filter, score, bind, with upstream's extension points. It sees
 * the cluster through informers only. Start reading at scheduler.ts, then framework/plugin.ts.
 */
export { startScheduler } from './scheduler.ts';
export type { Scheduler, SchedulerOptions } from './scheduler.ts';
export { createInformerLookups } from './informer-lookups.ts';
