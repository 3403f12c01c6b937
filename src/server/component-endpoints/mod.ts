/**
 * The ports that kube-scheduler and kube-controller-manager have upstream, though both are part of
 * this process: health, metrics and configuration. They serve nothing of the API. Start reading at
 * open-component-endpoints.ts.
 */
export { openComponentEndpoints } from './open-component-endpoints.ts';
export type { ComponentEndpoints } from './open-component-endpoints.ts';
