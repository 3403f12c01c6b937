/**
 * How every component talks to the API server: one Client interface, informers over it, and what
 * controllers share. It knows no HTTP server and no storage. Start reading at client.ts.
 */
export type * from './client.ts';
export type * from './informer-types.ts';
export { resources } from './resources.ts';
