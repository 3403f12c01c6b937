import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '#base/errors.ts';
import { http } from '#base/node-http.ts';
import { withHeaders } from '#streaming/mod.ts';
import { serviceUnavailable } from '../api-errors.ts';
import type { Exchange, NodeRequest, NodeResponse } from '../http/exchange.ts';
import { isCredential } from './backend-headers.ts';
import { hopTest } from './hop-headers.ts';
import { createHtmlRewriter, rewriteLink } from './link-rewriter.ts';
import type { LinkContext } from './link-rewriter.ts';

export interface HttpProxyOptions {
  exchange: Exchange;
  connect: () => Promise<Duplex>;
  /** Path with query on the backend. */
  path: string;
  /** Path of the proxy before the backend's own, and the backend's own host. */
  links: LinkContext;
  signal: AbortSignal;
  /** Headers of every answer of this server. */
  ownHeaders: Readonly<Record<string, string>>;
}

/**
 * Passes a request on to a backend and its answer back, both piece by piece. Links in redirects and
 * pages are made to work through the proxy. Throws ServiceUnavailable when there is no answer.
 */
export async function proxyHttp(options: HttpProxyOptions): Promise<void> {
  const { exchange, signal } = options;
  const { request, response } = exchange.raw();
  let answer: IncomingMessage;
  try {
    const connection = await options.connect();
    const host = options.links.hosts[0] ?? '';
    const backendRequest = http.request({
      method: exchange.method,
      path: options.path,
      headers: requestHeaders(request, options),
      setHost: false,
      createConnection: () => connection,
      signal,
      host,
    });
    answer = await send(request, backendRequest);
  } catch (error) {
    throw serviceUnavailable(`error trying to reach service: ${messageOf(error)}`, error);
  }
  await answerWith(answer, response, options);
}

function requestHeaders(request: NodeRequest, options: HttpProxyOptions): string[] {
  const isHop = hopTest(request.headers.connection);
  const { exchange, links } = options;
  const host = request.headers[':authority'] ?? request.headers.host ?? links.hosts[0] ?? '';
  const before = request.headers['x-forwarded-for'];
  const chain = [...(before === undefined ? [] : [before].flat()), exchange.remoteAddress];
  const isDropped = (name: string): boolean =>
    name.startsWith(':') ||
    name === 'host' ||
    name === 'x-forwarded-for' ||
    isHop(name) ||
    isCredential(name);
  return withHeaders(request.rawHeaders, isDropped, [
    'Host',
    String(host),
    'X-Forwarded-For',
    chain.join(', '),
    'X-Forwarded-Uri',
    exchange.path,
    ...framing(request),
  ]);
}

/** A body of unknown length goes on in chunks; no body stays none. */
function framing(request: NodeRequest): string[] {
  if (request.headers['content-length'] !== undefined) return [];
  const hasBody =
    request.headers['transfer-encoding'] !== undefined ||
    (request.httpVersionMajor === 2 && !request.readableEnded && !isBodyless(request.method));
  return hasBody ? ['Transfer-Encoding', 'chunked'] : [];
}

function isBodyless(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === undefined;
}

async function send(request: NodeRequest, backend: ClientRequest): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    backend.once('response', resolve);
    backend.once('error', reject);
  });
  // A backend may answer before it has read everything; only the missing answer is an error.
  pipeline(request, backend).catch((error: unknown) => {
    backend.destroy(error instanceof Error ? error : undefined);
  });
  return await answered;
}

async function answerWith(
  answer: IncomingMessage,
  response: NodeResponse,
  options: HttpProxyOptions,
): Promise<void> {
  const { links, ownHeaders } = options;
  const isHop = hopTest(answer.headers.connection);
  const type = (answer.headers['content-type'] ?? '').split(';')[0]?.trim();
  const isPage = type === 'text/html' && answer.headers['content-encoding'] === undefined;
  const status = answer.statusCode ?? 502;
  for (const [name, value] of Object.entries({ ...ownHeaders, ...answer.headers })) {
    if (value === undefined || isHop(name) || (isPage && name === 'content-length')) continue;
    response.setHeader(name, name === 'location' ? rewriteLink(String(value), links) : value);
  }
  response.statusCode = status;
  if ('flushHeaders' in response) response.flushHeaders();
  try {
    if (isPage) await pipeline(answer, createHtmlRewriter(links), response);
    else await pipeline(answer, response);
  } catch {
    // One side broke off in the middle; the other has been told by its own connection.
    response.destroy();
  }
}
