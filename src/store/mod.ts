/**
 * The durable key-value log under the API server. It knows keys, bytes and revisions, no objects.
 * Start reading at backend.ts.
 */
export type * from './backend.ts';
export { StoreError } from './errors.ts';
export type { StoreErrorCode } from './errors.ts';
