import type { IncomingMessage } from 'node:http';
import { listOf, upgradeHeaders, withHeaders } from '#streaming/mod.ts';

/** What proves the client's identity to this server, and is for nobody behind it. */
export function isCredential(name: string): boolean {
  return (
    name === 'authorization' ||
    name.startsWith('impersonate-') ||
    name === 'x-remote-user' ||
    name === 'x-remote-uid' ||
    name === 'x-remote-group' ||
    name.startsWith('x-remote-extra-')
  );
}

const bearerProtocol = 'base64url.bearer.authorization.k8s.io.';

/** Headers of a protocol switch on its way to a backend: without credentials. */
export function backendUpgradeHeaders(
  request: IncomingMessage,
  dropped: readonly string[] = [],
): string[] {
  const headers = withHeaders(
    upgradeHeaders(request, { dropped: ['sec-websocket-protocol', ...dropped] }),
    isCredential,
    [],
  );
  const offered = listOf(request.headers['sec-websocket-protocol']);
  const kept = offered.filter((protocol) => !protocol.startsWith(bearerProtocol));
  if (kept.length === 0 || dropped.includes('sec-websocket-protocol')) return headers;
  return [...headers, 'Sec-WebSocket-Protocol', kept.join(', ')];
}
