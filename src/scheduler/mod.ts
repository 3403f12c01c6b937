/**
 * Finds a node for each pod: queue, filter, score, bind, with upstream's extension points. It sees
 * the cluster through informers only. Start reading at scheduler.ts, then framework/plugin.ts.
 */
export { startScheduler } from './scheduler.ts';
export type { Scheduler, SchedulerOptions } from './scheduler.ts';
export { createSchedulerMetrics } from './scheduler-metrics.ts';
export type { SchedulerMetrics } from './scheduler-metrics.ts';
export { createInformerLookups } from './informer-lookups.ts';
export { noLookups } from './framework/lookups.ts';
export {
  createProfiles,
  defaultConfiguration,
  enableUserPlugins,
  readSchedulerConfiguration,
  userPluginOf,
} from './config/mod.ts';
export type { SchedulerConfiguration, UserPlugin } from './config/mod.ts';
export type { Plugin } from './framework/plugin.ts';
export type { PluginFactory, PluginParts } from './plugins/registry.ts';
