import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HealthChecks } from '#apiserver/mod.ts';
import type { HealthCheck, PathAnswer } from '#apiserver/mod.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import { https } from '#base/node-http.ts';
import type { Client } from '#client/mod.ts';
import { createDelegatedAccess } from './delegated-access.ts';

const plain = {
  'Content-Type': 'text/plain; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
};
const metricsType = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** A request that takes longer to arrive than this is dropped. */
const requestTimeoutMs = 30_000;

export interface ComponentServerOptions {
  /** kube-scheduler or kube-controller-manager, for the log. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string };
  /** PEM of the authority whose client certificates name users. */
  readonly clientCa: string;
  readonly openPaths: readonly string[];
  /** Acts as the component: asks who a caller is and what it may do. */
  readonly client: Client;
  /** Shown at /metrics: all of the process, as k3s shows them. */
  readonly metrics: MetricRegistry;
  readonly checks: readonly HealthCheck[];
  /** The whole answer of /configz. */
  readonly configz: object;
  /** More paths with texts made at each request. */
  readonly texts?: Readonly<Record<string, () => Promise<string>>> | undefined;
  readonly log: Logger;
}

export interface ComponentServer {
  readonly port: number;
  /** For new connections; those that are open stay. */
  setCertificate(tls: { cert: string; key: string }): void;
  close(): Promise<void>;
}

/** Opens the port of a component of upstream that is part of this process. Rejects when it cannot. */
export async function openComponentServer(
  options: ComponentServerOptions,
): Promise<ComponentServer> {
  const { host, tls, clientCa, log } = options;
  const mayRead = createDelegatedAccess(options);
  const health = new HealthChecks();
  for (const check of options.checks) health.add(check);

  const answer = async (request: IncomingMessage): Promise<PathAnswer> => {
    const url = new URL(request.url ?? '/', 'https://component');
    const refusal = await mayRead(request, url.pathname);
    if (refusal !== undefined) return statusAnswer(refusal);
    const { method = 'GET' } = request;
    if (method !== 'GET' && method !== 'HEAD') return notFound();
    const { texts = {} } = options;
    const text = Object.hasOwn(texts, url.pathname) ? texts[url.pathname] : undefined;
    if (text !== undefined) {
      return { status: 200, headers: { 'Content-Type': metricsType }, body: await text() };
    }
    if (url.pathname === '/metrics') {
      const body = await options.metrics.render();
      return { status: 200, headers: { 'Content-Type': metricsType }, body };
    }
    if (url.pathname === '/configz') return { status: 200, body: options.configz };
    return (await health.answer(url.pathname, url.searchParams)) ?? notFound();
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      send(request, response, await answer(request));
    } catch (error) {
      log.warning('Cannot answer for a component', {
        component: options.name,
        path: request.url,
        error: messageOf(error),
      });
      send(request, response, { status: 500, headers: plain, body: 'Internal Server Error\n' });
    }
  };
  const server = https.createServer(
    {
      ...tls,
      ca: clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      requestTimeout: requestTimeoutMs,
    },
    (request, response) => void serve(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  server.on('error', (error) => log.warning('Component port', { error: messageOf(error) }));
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    setCertificate: (pair) => server.setSecureContext({ ...pair, ca: clientCa }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(request: IncomingMessage, response: ServerResponse, answer: PathAnswer): void {
  const { status, body } = answer;
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const bytes = isJson ? Buffer.from(JSON.stringify(body)) : Buffer.from(body);
  const type = isJson ? { 'Content-Type': 'application/json' } : {};
  response.writeHead(status, { ...type, ...answer.headers, 'Content-Length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function notFound(): PathAnswer {
  return { status: 404, headers: plain, body: '404 page not found\n' };
}

function statusAnswer(refusal: {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
}): PathAnswer {
  const { status, reason, message } = refusal;
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(status === 403 ? { details: {} } : {}),
    code: status,
  };
  return { status, body };
}
