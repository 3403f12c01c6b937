/** Removes pods that nobody else will. Start reading at pod-garbage-collector.ts. */
export { startPodGarbageCollector } from './pod-garbage-collector.ts';
