import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '#base/errors.ts';
import { isUpgrade, proxyUpgrade, upgradeHeaders } from '#streaming/mod.ts';
import { CriError, grpcCodes } from '../../cri/mod.ts';
import type { StreamOptions } from '../../cri/mod.ts';
import { findContainer } from '../../pods/names.ts';
import { KubeletRequestError } from '../request-error.ts';
import type { KubeletServerOptions } from '../server-options.ts';

export interface StreamTarget {
  namespace: string;
  podName: string;
  uid?: string | undefined;
  container?: string | undefined;
}

export interface StreamExchange {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  query: URLSearchParams;
}

type Options = Pick<KubeletServerOptions, 'kubelet' | 'runtime'>;

/** /exec, /attach and /portForward: the runtime's own streaming server does the work. */
export async function answerStream(
  options: Options,
  command: 'exec' | 'attach' | 'portForward',
  target: StreamTarget,
  exchange: StreamExchange,
): Promise<void> {
  if (!isUpgrade(exchange.request.headers)) {
    throw new KubeletRequestError(400, 'Upgrade request required');
  }
  const url = new URL(
    command === 'portForward'
      ? await portForwardUrl(options, target, exchange.query)
      : await commandUrl(options, command, target, exchange.query),
  );
  const { request, socket, head } = exchange;
  let connection: Socket;
  try {
    connection = await dial(url);
  } catch (error) {
    throw new KubeletRequestError(500, `error dialing backend: ${messageOf(error)}`, error);
  }
  await proxyUpgrade({
    request,
    socket,
    head,
    connection,
    method: request.method ?? 'POST',
    path: `${url.pathname}${url.search}`,
    headers: upgradeHeaders(request, { host: url.host, dropped: ['authorization'] }),
  });
}

/** What a query asks for; upstream's two forms of true are `1` and `true`. */
export function readStreams(query: URLSearchParams): StreamOptions {
  const flag = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');
  const tty = flag('tty');
  const streams = {
    stdin: flag('input'),
    stdout: flag('output'),
    // A terminal has one output.
    stderr: flag('error') && !tty,
    tty,
  };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new KubeletRequestError(400, 'you must specify at least 1 of stdin, stdout, stderr');
  }
  return streams;
}

/** The id of a container that runs; throws 404 or 500 as upstream when there is none. */
export function findRunning(options: Pick<Options, 'kubelet'>, target: StreamTarget): string {
  const { namespace, podName, uid, container = '' } = target;
  const pod = options.kubelet.podByName(namespace, podName);
  if (pod === undefined || (uid !== undefined && pod.metadata.uid !== uid)) {
    throw new KubeletRequestError(404, 'pod does not exist');
  }
  const found = options.kubelet.getContainer(namespace, podName, container);
  if (found?.state !== 'CONTAINER_RUNNING') {
    throw new KubeletRequestError(500, `container not found (${JSON.stringify(container)})`);
  }
  return found.containerId;
}

async function commandUrl(
  options: Options,
  command: 'exec' | 'attach',
  target: StreamTarget,
  query: URLSearchParams,
): Promise<string> {
  const streams = readStreams(query);
  const id = findRunning(options, target);
  const { runtime, kubelet } = options;
  if (command === 'exec') {
    return await asked(() => runtime.exec(id, query.getAll('command'), streams));
  }
  const pod = kubelet.podByName(target.namespace, target.podName);
  const spec = pod === undefined ? undefined : findContainer(pod, target.container ?? '');
  // Whether a running process has a terminal cannot be changed any more.
  const tty = spec?.container.tty === true;
  return await asked(() => runtime.attach(id, { ...streams, tty, stderr: streams.stderr && !tty }));
}

async function portForwardUrl(
  { kubelet, runtime }: Options,
  { namespace, podName, uid }: StreamTarget,
  query: URLSearchParams,
): Promise<string> {
  const pod = kubelet.podByName(namespace, podName);
  if (pod === undefined) throw new KubeletRequestError(404, 'pod does not exist');
  if (uid !== undefined && pod.metadata.uid !== uid) {
    throw new KubeletRequestError(404, 'pod not found');
  }
  const sandboxId = kubelet.sandboxId(namespace, podName);
  if (sandboxId === undefined) {
    throw new KubeletRequestError(500, `sandbox of pod ${JSON.stringify(podName)} is not running`);
  }
  const ports = query
    .getAll('port')
    .flatMap((text) => text.split(','))
    .map(Number);
  return await asked(() => runtime.portForward(sandboxId, ports));
}

/** The runtime's answer, its refusals with the codes that upstream gives them. */
async function asked(ask: () => Promise<string>): Promise<string> {
  try {
    return await ask();
  } catch (error) {
    const isMissing = error instanceof CriError && error.grpcCode === grpcCodes.notFound;
    throw new KubeletRequestError(isMissing ? 404 : 500, messageOf(error), error);
  }
}

function dial(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(url.port), noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
