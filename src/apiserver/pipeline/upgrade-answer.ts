import type { ApiStatusError } from '#base/api-status-error.ts';
import { http } from '#base/node-http.ts';
import type { Duplex } from 'node:stream';

/** Answers an upgrade that cannot be done with a Status and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: ApiStatusError): void {
  const body = JSON.stringify(error.toStatus());
  socket.on('error', () => undefined);
  socket.end(
    [
      `HTTP/1.1 ${error.httpCode} ${http.STATUS_CODES[error.httpCode] ?? ''}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
