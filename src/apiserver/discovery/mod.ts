/**
 * What the API serves, told to clients: /api and /apis in the plain and in the aggregated form, as
 * cached bytes over a live list of resources. Start reading at discovery-routes.ts.
 */
export { createDiscovery } from './discovery-routes.ts';
export type { Discovery, DiscoveryOptions } from './discovery-routes.ts';
export type { DiscoveredResource, DiscoveredVersion } from './discovered.ts';
