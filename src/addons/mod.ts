/**
 * Components that k3s packages as manifests and pods, and that k3ts has inside: what of them the
 * API must show. Start reading at cluster-dns/cluster-dns.ts; the others have the name of their
 * folder.
 */
export { clusterDnsPort, startClusterDns } from './cluster-dns/cluster-dns.ts';
export { createMetricsServer } from './metrics-server/metrics-server.ts';
export type { MetricsServer } from './metrics-server/metrics-server.ts';
