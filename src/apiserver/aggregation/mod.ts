/**
 * API aggregation: an APIService for everything that is served here, and extension API servers
 * behind a Service made part of this API: availability, proxy, discovery, OpenAPI. It knows no
 * custom resources beyond the names of their versions. Start reading at aggregation.ts.
 */
export { createAggregation } from './aggregation.ts';
export type { Aggregation, AggregationOptions, LocalApi } from './aggregation.ts';
