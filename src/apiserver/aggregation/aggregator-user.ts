import { identityHeaders } from './proxy-headers.ts';

/** As whom this server asks extension servers for itself. */
const aggregatorUser = { name: 'system:kube-aggregator', groups: ['system:masters'] } as const;

/** Headers of the server's own requests to extension servers. */
export function aggregatorHeaders(more: Record<string, string> = {}): Record<string, string> {
  return { ...Object.fromEntries(identityHeaders(aggregatorUser)), ...more };
}
