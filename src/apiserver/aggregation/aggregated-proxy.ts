import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '#base/errors.ts';
import { proxyUpgrade, withHeaders } from '#streaming/mod.ts';
import type { BackingServer } from '../aggregate-hook.ts';
import { backendUpgradeHeaders } from '../connect/backend-headers.ts';
import { hopTest } from '../connect/hop-headers.ts';
import type { Exchange, OutgoingHeaders } from '../http/exchange.ts';
import type { RequestContext } from '../request.ts';
import { isAvailable } from './api-service.ts';
import { forwardedHeaders, identityHeaders } from './proxy-headers.ts';
import type { RemoteAddress, RemoteServer } from './remote-server.ts';
import { sendRemote } from './remote-request.ts';

/** Bodies of requests are gathered before they go on; this is the most that is. */
const maxBodyBytes = 16 * 1024 * 1024;

/**
 * Passes requests of a group version on to its extension server, who is told in headers who asks.
 * Failures are upstream's: text, not a Status, 503 when there is no server to ask.
 */
export function createAggregatedProxy(server: RemoteServer): BackingServer {
  return {
    async request({ context, exchange }) {
      if (!isAvailable(server.service)) return refuse(exchange, context, 'service unavailable');
      let address: RemoteAddress;
      try {
        address = server.resolve();
      } catch {
        return refuse(exchange, context, 'service unavailable');
      }
      let answer: IncomingMessage;
      try {
        answer = await ask(server, address, exchange, context);
      } catch (error) {
        if (exchange.isClosed) return 499;
        return refuse(exchange, context, `error trying to reach service: ${messageOf(error)}`);
      }
      return await passOn(answer, exchange, context);
    },
    async upgrade({ context, request, socket, head }) {
      try {
        if (!isAvailable(server.service)) throw new Error('service unavailable');
        const address = server.resolve();
        const connection = await server.dial(context.signal);
        const headers = [
          ...withHeaders(backendUpgradeHeaders(request), (name) => name === 'host', [
            'Host',
            hostText(address),
          ]),
          ...identityHeaders(context.user).flat(),
        ];
        const { url = '/', method = 'GET' } = request;
        const { signal } = context;
        await proxyUpgrade({
          request,
          socket,
          head,
          connection,
          method,
          path: url,
          headers,
          signal,
        });
      } catch (error) {
        refuseSocket(socket, messageOf(error));
      }
    },
  };
}

async function ask(
  server: RemoteServer,
  address: RemoteAddress,
  exchange: Exchange,
  context: RequestContext,
): Promise<IncomingMessage> {
  const hasBody = exchange.method !== 'GET' && exchange.method !== 'HEAD';
  const body = hasBody ? await exchange.readBody(maxBodyBytes) : undefined;
  const query = exchange.query === '' ? '' : `?${exchange.query}`;
  return await sendRemote(server, {
    method: exchange.method,
    path: `${exchange.path}${query}`,
    headers: forwardedHeaders({
      headers: exchange.headers,
      user: context.user,
      host: hostText(address),
      remoteAddress: exchange.remoteAddress,
      path: exchange.path,
      bodyBytes: body?.length,
    }),
    body,
    signal: context.signal,
  });
}

function hostText({ host, port }: RemoteAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Sends the answer on, piece by piece and at the client's pace. */
async function passOn(
  answer: IncomingMessage,
  exchange: Exchange,
  context: RequestContext,
): Promise<number> {
  const status = answer.statusCode ?? 502;
  const isHop = hopTest(answer.headers.connection);
  const headers: OutgoingHeaders = { 'Audit-Id': context.auditId };
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value === undefined || isHop(name) || name === 'audit-id') continue;
    headers[name] = value;
  }
  if (exchange.method === 'HEAD' || status === 204 || status === 304) {
    answer.resume();
    exchange.answer(status, headers, Buffer.alloc(0));
    return status;
  }
  const stream = exchange.stream(status, headers);
  stream.onDrain(() => answer.resume());
  exchange.onClose(() => answer.destroy());
  answer.on('data', (chunk: Buffer) => {
    if (!stream.write(chunk)) answer.pause();
  });
  await new Promise<void>((resolve) => {
    answer.once('end', () => {
      stream.end();
      resolve();
    });
    answer.once('close', () => {
      // Broken off in the middle: the client must not take it for the whole.
      if (!answer.complete && !exchange.isClosed) exchange.destroy();
      resolve();
    });
    answer.on('error', () => undefined);
  });
  return status;
}

function refuse(exchange: Exchange, context: RequestContext, text: string): number {
  const headers: OutgoingHeaders = {
    'Audit-Id': context.auditId,
    'Cache-Control': 'no-cache, private',
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
  };
  exchange.answer(503, headers, Buffer.from(`${text}\n`));
  return 503;
}

function refuseSocket(socket: Duplex, text: string): void {
  const body = `${text}\n`;
  socket.on('error', () => undefined);
  socket.end(
    'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
