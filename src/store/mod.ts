/**
 * The durable key-value log under the API server: revisions, compare-and-swap, watch, leases and
 * compaction. It knows keys, bytes and revisions, no objects; what a key means is the API server's
 * business. Start reading at backend.ts (the contract), then log-backend.ts (how a write becomes
 * durable and visible); docs/internals/store.md draws it.
 */
export type * from './backend.ts';
export { startCompactor } from './compactor.ts';
export type { Compactor, CompactorOptions } from './compactor.ts';
export type { DatastoreTls } from './drivers/etcd/connection.ts';
export { StoreError } from './errors.ts';
export type { StoreErrorCode } from './errors.ts';
export { openBackend } from './open.ts';
export type { OpenBackendOptions } from './open.ts';
