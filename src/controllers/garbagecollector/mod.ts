/**
 * Deletes objects whose owners are gone: background, foreground and orphan deletion over all kinds.
 * It keeps uids and owner references, no objects. Start reading at garbage-collector.ts, then
 * collect.ts.
 */
export { startGarbageCollector } from './garbage-collector.ts';
