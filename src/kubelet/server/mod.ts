/**
 * The kubelet's own API: logs, exec, attach, port-forward, stats and metrics over HTTPS. It reads
 * what the kubelet knows and changes nothing. Start reading at kubelet-server.ts, then routes.ts.
 */
export { createKubeletServer } from './kubelet-server.ts';
export type { KubeletServer } from './kubelet-server.ts';
export type { KubeletServerOptions, KubeletTls, KubeletView } from './server-options.ts';
export { createUsageReader } from './stats/usage-reader.ts';
export type { NodeUsage, UsageReader } from './stats/usage-reader.ts';
