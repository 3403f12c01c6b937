/**
 * Copies Endpoints that somebody writes by hand into EndpointSlices, which is what proxies read.
 * Start reading at mirroring-controller.ts, then mirrored-endpoints.ts.
 */
export { startEndpointSliceMirroring } from './mirroring-controller.ts';
