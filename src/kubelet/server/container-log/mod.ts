/**
 * Reading the log files that runtimes write for containers: tails, times, following through
 * rotation. It knows no pods. Start reading at read-log.ts.
 */
export { readContainerLog } from './read-log.ts';
export type { ReadLogOptions } from './read-log.ts';
