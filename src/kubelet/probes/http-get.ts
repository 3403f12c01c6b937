import { http, https } from '#base/node-http.ts';
import type { HTTPGetAction } from '#schema/types.ts';
import type { AnyContainer } from '../pods/names.ts';

const maxBodyBytes = 10 * 1024;
const maxRedirects = 10;

export interface HttpOutcome {
  readonly statusCode: number;
  readonly body: string;
  /** The answer was a redirect to another host, which is not followed. */
  readonly isForeignRedirect: boolean;
}

/** A container port by number or name; throws a plain Error with upstream's text. */
export function portNumber(port: number | string, container: AnyContainer): number {
  const number = typeof port === 'number' ? port : Number(port);
  if (Number.isInteger(number)) {
    if (number > 0 && number < 65_536) return number;
    throw new Error(`invalid port number: ${port}`);
  }
  const named = (container.ports ?? []).find(({ name }) => name === port);
  if (named === undefined) throw new Error(`couldn't find port: "${port}" in container`);
  return named.containerPort;
}

export function actionUrl(action: HTTPGetAction, host: string, container: AnyContainer): URL {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const name = host.includes(':') ? `[${host}]` : host;
  const path = (action.path ?? '').replace(/^(?!\/)/, '/');
  return new URL(`${scheme}://${name}:${portNumber(action.port, container)}${path}`);
}

type Headers = Record<string, string | string[]>;

/** Names are written as Go does; an empty given value removes a default header. */
function requestHeaders(action: HTTPGetAction, userAgent: string): Headers {
  const headers: Record<string, string[]> = {};
  const given = new Set<string>();
  for (const { name, value } of action.httpHeaders ?? []) {
    const written = canonicalName(name);
    given.add(written);
    if (value !== '') (headers[written] ??= []).push(value);
  }
  if (!given.has('User-Agent')) headers['User-Agent'] = [userAgent];
  if (!given.has('Accept')) headers['Accept'] = ['*/*'];
  headers['Connection'] = ['close'];
  const { Host: hosts, ...rest } = headers;
  // There is only one host, and the last that was given is it.
  return hosts === undefined ? rest : { ...rest, Host: hosts.at(-1) ?? '' };
}

/** `x-my-header` is `X-My-Header`. */
function canonicalName(name: string): string {
  return name
    .split('-')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1).toLowerCase())
    .join('-');
}

/** With the port, which a URL leaves out where it is that of its scheme. */
function urlText({ protocol, hostname, port, pathname, search }: URL): string {
  const shown = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return `${protocol}//${hostname}:${shown}${pathname}${search}`;
}

/**
 * One GET as probes and hooks make it: no proxy, no keep-alive, certificates not checked, redirects
 * followed on the same host. Rejects with upstream's text: `Get "http://…": <error>`.
 */
export async function httpGet(options: {
  action: HTTPGetAction;
  url: URL;
  userAgent: string;
  signal: AbortSignal;
}): Promise<HttpOutcome> {
  const headers = requestHeaders(options.action, options.userAgent);
  let { url } = options;
  for (let count = 0; ; count++) {
    const answer = await getOnce(url, headers, options.signal);
    const { location } = answer;
    const isRedirect = answer.statusCode >= 300 && answer.statusCode < 400;
    if (!isRedirect || location === undefined) return { ...answer, isForeignRedirect: false };
    const target = new URL(location, url);
    if (target.hostname !== url.hostname) return { ...answer, isForeignRedirect: true };
    if (count >= maxRedirects) throw new Error(`Get "${target.href}": stopped after 10 redirects`);
    url = target;
  }
}

function getOnce(
  url: URL,
  headers: Headers,
  signal: AbortSignal,
): Promise<{ statusCode: number; body: string; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(new Error(`Get "${urlText(url)}": ${networkText(error, url)}`, { cause: error }));
    };
    const { request } = url.protocol === 'https:' ? https : http;
    const sent = request(
      url,
      { method: 'GET', headers, agent: false, rejectUnauthorized: false, signal },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const finish = (): void =>
          resolve({
            statusCode: answer.statusCode ?? 0,
            body: Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8'),
            location: answer.headers.location,
          });
        answer.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size < maxBodyBytes) return;
          finish();
          answer.destroy();
        });
        answer.on('end', finish);
        answer.on('error', fail);
      },
    );
    sent.on('error', fail);
    sent.end();
  });
}

/** Whether an HTTPS request failed because the answer was plain HTTP; OpenSSL sees no TLS record. */
export function isPlainAnswer(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: string };
    if (code === 'EPROTO' && /wrong version number|packet length too long/.test(cause.message)) {
      return true;
    }
  }
  return false;
}

/** Node's error in Go's words, as users search for them. */
export function networkText(
  error: Error,
  url: { hostname: string; port: string | number; protocol?: string | undefined },
): string {
  const code = (error as { code?: string }).code ?? '';
  // A URL leaves the port of its scheme out.
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port;
  const address = `${url.hostname}:${port}`;
  if (code === 'ECONNREFUSED') return `dial tcp ${address}: connect: connection refused`;
  if (code === 'EHOSTUNREACH') return `dial tcp ${address}: connect: no route to host`;
  if (code === 'ENETUNREACH') return `dial tcp ${address}: connect: network is unreachable`;
  if (error.message === 'socket hang up') return 'EOF';
  if (code === 'ECONNRESET') return `read tcp ${address}: read: connection reset by peer`;
  if (code === 'ABORT_ERR' || error.name === 'AbortError') {
    return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  }
  if (isPlainAnswer(error)) return 'http: server gave HTTP response to HTTPS client';
  return error.message;
}
