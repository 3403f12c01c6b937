/**
 * Runs pods of Jobs until enough have succeeded or too many have failed. What pods add up to and
 * how a job ends are pure functions (pod-tally.ts, job-outcome.ts). Start reading at sync-job.ts.
 */
export { startJobController } from './job-controller.ts';
