/** Deletes finished Jobs when their time is over. */
export { startTtlAfterFinished } from './ttl-after-finished.ts';
