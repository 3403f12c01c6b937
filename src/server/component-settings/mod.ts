/**
 * What the arguments of scheduler and controllers mean: files read, plugins loaded, controllers
 * chosen. The texts of the arguments are read in component-args. Start at component-settings.ts.
 */
export { readComponentSettings } from './component-settings.ts';
export type { ComponentSettings } from './component-settings.ts';
export { checkScheduler, runScheduler } from './run-scheduler.ts';
