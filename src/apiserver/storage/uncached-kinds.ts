/**
 * Kinds whose objects are read from the store instead of being held in memory, by resource and
 * group: those that upstream's `--watch-cache-sizes` sets to 0 by itself. Nothing in this process
 * may read them through an ObjectReader, which sees no more than the latest changes of them.
 */
export const uncachedKinds: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io']);
