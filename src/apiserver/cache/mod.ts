/**
 * The watch cache: every object that was asked for, once in memory, as the bytes that clients get.
 * It knows revisions, keys and selections, no requests and no rules of kinds. Start reading at
 * watch-cache.ts, then prefix-cache.ts.
 */
export { ByteLayout } from './byte-layout.ts';
export type { EncodedObject } from './byte-layout.ts';
export { CacheEntry } from './entry.ts';
export type { CacheEvent } from './event-ring.ts';
export { listEntries } from './list-entries.ts';
export type { ListSlice } from './list-entries.ts';
export { PrefixCache } from './prefix-cache.ts';
export { Selection } from './selection.ts';
export { select } from './subscription.ts';
export type { Delivery, Subscription } from './subscription.ts';
export { storedVersionOf, VersionedLayout } from './versioned-layout.ts';
export { WatchCache } from './watch-cache.ts';
