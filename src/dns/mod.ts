/**
 * Cluster DNS inside the agent: answers names of Services and pods from informers, forwards the
 * rest to the machine's own resolvers. Start reading at dns-server.ts, then cluster-zone.ts.
 */
export { startDnsServer } from './dns-server.ts';
export type { DnsServer, DnsServerOptions } from './dns-server.ts';
export { parseResolvConf } from './resolv-conf.ts';
export type { ResolvConf } from './resolv-conf.ts';
