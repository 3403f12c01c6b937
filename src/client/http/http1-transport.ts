import { K3tsError, messageOf } from '#base/errors.ts';
import { http, https } from '#base/node-http.ts';
import { flattenHeaders } from './transport.ts';
import type { TlsMaterial, Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Connections kept for reuse; watches take one each beside them. */
const maxFreeSockets = 16;

/** HTTP/1.1 with keep-alive, for servers (or proxies) without HTTP/2 and for plain http URLs. */
export function createHttp1Transport(options: { server: URL; tls: TlsMaterial }): Transport {
  const { server, tls } = options;
  const isSecure = server.protocol === 'https:';
  const agentOptions = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets };
  const agent = isSecure
    ? new https.Agent({
        ...agentOptions,
        rejectUnauthorized: tls.insecure !== true,
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        ...(tls.cert === undefined ? {} : { cert: tls.cert }),
        ...(tls.key === undefined ? {} : { key: tls.key }),
        ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      })
    : new http.Agent(agentOptions);
  let isClosed = false;

  const request = (init: TransportRequest): Promise<TransportResponse> =>
    new Promise((resolve, reject) => {
      const { method, path, headers, body, signal } = init;
      const send = isSecure ? https.request : http.request;
      const outgoing = send({
        agent,
        method,
        path,
        host: server.hostname.replace(/^\[|\]$/g, ''),
        port: server.port === '' ? (isSecure ? 443 : 80) : Number(server.port),
        headers: body === undefined ? headers : { ...headers, 'content-length': body.length },
        ...(signal === undefined ? {} : { signal }),
      });
      outgoing.on('response', (answer) => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: flattenHeaders(answer.headers),
          body: answer,
        });
      });
      outgoing.on('error', (error) => {
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
          return;
        }
        const code = (error as NodeJS.ErrnoException).code;
        const isNotSent = code === 'ECONNREFUSED' || outgoing.reusedSocket;
        reject(
          new K3tsError(
            isNotSent && (method === 'GET' || code === 'ECONNREFUSED') ? 'NotSent' : 'Unavailable',
            `cannot reach ${server.origin}: ${messageOf(error)}`,
            { cause: error },
          ),
        );
      });
      outgoing.end(body);
    });

  return {
    request,
    get closed() {
      return isClosed;
    },
    close() {
      isClosed = true;
      agent.destroy();
    },
    destroy() {
      isClosed = true;
      agent.destroy();
    },
  };
}
