import type { Duplex } from 'node:stream';
import { messageOf } from '#base/errors.ts';
import { ApiStatusError } from '#base/api-status-error.ts';
import { proxyUpgrade } from '#streaming/mod.ts';
import { answerHeaders } from '../answers/headers.ts';
import { plainError } from '../api-errors.ts';
import type { RequestContext, RequestInfo } from '../request.ts';
import { backendUpgradeHeaders } from './backend-headers.ts';
import type { ConnectOptions } from './connect-options.ts';
import { proxyHttp } from './http-proxy.ts';
import { dialBackend } from './kubelet-upgrade.ts';
import type { UpgradeInput } from './kubelet-upgrade.ts';
import type { RequestInput } from './pod-log.ts';
import { locateProxyTarget } from './proxy-target.ts';
import type { ProxyTarget } from './proxy-target.ts';

const optionKinds: Readonly<Record<string, string>> = {
  pods: 'PodProxyOptions',
  services: 'ServiceProxyOptions',
  nodes: 'NodeProxyOptions',
};

/** The path up to and with `/proxy`, and what is behind it, both as the client wrote them. */
export function splitProxyPath(info: RequestInfo): { prefix: string; rest: string } {
  const depth = info.resource === 'nodes' ? 6 : 8;
  const segments = info.path.split('/');
  const rest = segments.slice(depth);
  return {
    prefix: segments.slice(0, depth).join('/'),
    rest: rest.length === 0 ? '' : `/${rest.join('/')}`,
  };
}

/** pods/proxy, services/proxy and nodes/proxy for everything that stays with HTTP. */
export async function proxyRequest(options: ConnectOptions, input: RequestInput): Promise<void> {
  const { context, exchange, admit } = input;
  const { info } = context;
  const { prefix, rest } = splitProxyPath(info);
  await admit({ kind: optionKinds[info.resource], apiVersion: 'v1', path: rest.slice(1) });
  const target = locateProxyTarget(options, info);
  const query = exchange.query === '' ? '' : `?${exchange.query}`;
  const { 'Content-Type': _type, ...ownHeaders } = answerHeaders(context, '');
  if (rest === '' && (exchange.method === 'GET' || exchange.method === 'HEAD')) {
    // Relative links of the page need the slash.
    const location = `${info.path}/${query}`;
    exchange.answer(301, { ...ownHeaders, Location: location }, Buffer.alloc(0));
    return;
  }
  const { signal } = context;
  await proxyHttp({
    exchange,
    connect: () => connectTarget(options, target, signal),
    path: `${rest === '' ? '/' : rest}${query}`,
    links: { prefix, hosts: [hostOf(target), exchange.headers.host ?? ''] },
    signal,
    ownHeaders: ownHeaders as Record<string, string>,
  });
}

/** The same for protocol switches: WebSockets of applications. */
export async function proxyConnection(options: ConnectOptions, input: UpgradeInput): Promise<void> {
  const { context, request, socket, head, admit } = input;
  const { rest } = splitProxyPath(context.info);
  await admit({ kind: optionKinds[context.info.resource], apiVersion: 'v1', path: rest.slice(1) });
  const target = locateProxyTarget(options, context.info);
  const { signal } = context;
  const connection = await dialBackend(() => connectTarget(options, target, signal));
  const query = queryOf(request.url ?? '');
  try {
    await proxyUpgrade({
      request,
      socket,
      head,
      connection,
      method: request.method ?? 'GET',
      path: `${rest === '' ? '/' : rest}${query}`,
      headers: backendUpgradeHeaders(request),
      signal,
    });
  } catch (error) {
    if (error instanceof ApiStatusError) throw error;
    throw plainError(messageOf(error));
  }
}

function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark);
}

function hostOf(target: ProxyTarget): string {
  const { host, port } = target.kind === 'kubelet' ? target.kubelet : target.address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function connectTarget(
  { transport }: ConnectOptions,
  target: ProxyTarget,
  signal: RequestContext['signal'],
): Promise<Duplex> {
  return target.kind === 'kubelet'
    ? await transport.connectKubelet(target.kubelet, { signal })
    : await transport.connectBackend(target.address, { signal });
}
