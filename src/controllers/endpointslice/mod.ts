/**
 * Writes EndpointSlices from services, pods and the zones of nodes. Which slice takes which
 * endpoint is a pure function (slice-plan.ts). Start reading at endpoint-slice-controller.ts.
 */
export { startEndpointSliceController } from './endpoint-slice-controller.ts';
