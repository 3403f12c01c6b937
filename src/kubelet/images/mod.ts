/**
 * Images of this node: pulling them with the right credentials, removing what nobody uses. It knows
 * no registry: the runtime speaks to those. Start reading at image-puller.ts; credentials are in
 * node-credentials.ts.
 */
export { createImageSnapshots, type ImageSnapshots } from './image-snapshots.ts';
export { createNodeCredentials } from './node-credentials.ts';
