/**
 * Writes core/v1 Endpoints from services and pods; the same in slices is endpointslice's work.
 * Start reading at endpoints-controller.ts.
 */
export { startEndpointsController } from './endpoints-controller.ts';
