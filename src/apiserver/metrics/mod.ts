/**
 * What the API server tells of itself at /metrics and /metrics/slis, under upstream's names. The
 * registry is #base/metrics.ts; a part of the server makes its metrics where it counts. Start at
 * request-metrics.ts.
 */
export { meterAuthenticator, meterAuthorizer } from './access-metrics.ts';
export type { AdmissionMeter } from './admission-metrics.ts';
export { createAdmissionMeter } from './admission-metrics.ts';
export type { StoreMeter, StoreOperation } from './store-meter.ts';
export { createStoreMeter } from './store-meter.ts';
export { createDeprecationMetrics } from './deprecation-metrics.ts';
export { addFeatureMetrics } from './feature-metrics.ts';
export { addInFlightMetrics } from './in-flight-metrics.ts';
export { metricRoutes } from './metric-routes.ts';
export { addProcessMetrics } from './process-metrics.ts';
export type { MeasuredRequest } from './request-metrics.ts';
export { RequestMetrics } from './request-metrics.ts';
export { addStorageMetrics } from './storage-metrics.ts';
export type { CountWatchEvent } from './watch-metrics.ts';
export { createWatchMetrics } from './watch-metrics.ts';
