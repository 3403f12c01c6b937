/**
 * Requests that leave the API server for kubelets, pods and services: exec, attach, portforward,
 * log and proxy. Who may ask is decided before; the wire protocols are in streaming/. Start reading
 * at connect-handler.ts.
 */
export { createConnectHandler } from './connect-handler.ts';
export type { ConnectOptions } from './connect-options.ts';
export { createDirectTransport } from './direct-transport.ts';
export type { DirectTransportOptions } from './direct-transport.ts';
export type { BackendAddress, KubeletAddress, KubeletTransport } from './kubelet-transport.ts';
