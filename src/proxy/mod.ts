/**
 * The service proxy of one node: turns Services and EndpointSlices into netfilter rules, as
 * kube-proxy in iptables mode. Knows no pods and no devices. Start reading at service-proxy.ts.
 */
export { startServiceProxy } from './service-proxy.ts';
export type { ServiceProxy, ServiceProxyOptions } from './service-proxy.ts';
