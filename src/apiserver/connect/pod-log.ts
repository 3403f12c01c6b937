import type { IncomingMessage } from 'node:http';
import { messageOf } from '#base/errors.ts';
import { http } from '#base/node-http.ts';
import { readAnswerBody } from '#streaming/mod.ts';
import { answerHeaders } from '../answers/headers.ts';
import { methodNotAllowed, plainError } from '../api-errors.ts';
import type { ConnectHandler } from '../connect-hook.ts';
import type { BodyStream } from '../http/exchange.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { KubeletAddress } from './kubelet-transport.ts';
import { kubeletLogQuery, readLogOptions } from './log-options.ts';
import { chooseContainer, findPod, locatePodKubelet } from './node-location.ts';
import { pathOf, withQuery } from './query-values.ts';
import { serverResponse } from './response-status.ts';

export type RequestInput = Parameters<ConnectHandler['request']>[0];

/** What is read of a kubelet's refusal. */
const maxRefusalBytes = 2000;

/** pods/log: the kubelet's answer, piece by piece as it comes. */
export async function streamPodLog(options: ConnectOptions, input: RequestInput): Promise<void> {
  const { context, exchange } = input;
  const { info, query, signal } = context;
  if (info.verb !== 'get') throw methodNotAllowed(context.resource, info.verb);
  const logOptions = readLogOptions(query, info.name);
  const pod = findPod(options.reader, info.namespace, info.name);
  const container = chooseContainer(pod, logOptions.container);
  const headers = answerHeaders(context, 'text/plain');
  if ((pod.spec?.nodeName ?? '') === '') {
    exchange.answer(200, headers, Buffer.alloc(0));
    return;
  }
  const kubelet = locatePodKubelet(options.reader, pod);
  const path = withQuery(
    pathOf('containerLogs', info.namespace, info.name, container),
    kubeletLogQuery(logOptions),
  );
  const response = await getFromKubelet(options, {
    kubelet,
    path,
    signal,
    isUnverified: logOptions.isUnverified,
  });
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 206) {
    const body = await readAnswerBody(response, maxRefusalBytes);
    throw serverResponse(status, body.toString(), { resource: 'pods/log', name: info.name });
  }
  const body = exchange.stream(200, headers);
  try {
    await pump(response, body);
  } catch {
    // The kubelet broke off in the middle: the client must not take this for the end.
    exchange.destroy();
  }
}

async function getFromKubelet(
  options: ConnectOptions,
  target: { kubelet: KubeletAddress; path: string; signal: AbortSignal; isUnverified: boolean },
): Promise<IncomingMessage> {
  const { kubelet, path, signal, isUnverified } = target;
  const host = `${kubelet.host}:${kubelet.port}`;
  try {
    const connection = await options.transport.connectKubelet(kubelet, { signal, isUnverified });
    return await new Promise((resolve, reject) => {
      const request = http.request({
        method: 'GET',
        path,
        headers: { Host: host },
        createConnection: () => connection,
        signal,
      });
      request.once('response', resolve);
      request.once('error', reject);
      request.end();
    });
  } catch (error) {
    throw plainError(`Get "https://${host}${path}": ${messageOf(error)}`);
  }
}

/** Writes an answer on as it comes, waiting for slow clients; the client's leaving ends it. */
export async function pump(source: IncomingMessage, body: BodyStream): Promise<void> {
  let onDrained: (() => void) | undefined;
  body.onDrain(() => onDrained?.());
  for await (const piece of source) {
    if (body.isClosed) break;
    if (body.write(piece as Buffer)) continue;
    await new Promise<void>((resolve) => {
      onDrained = resolve;
      source.once('close', resolve);
    });
  }
  source.destroy();
  body.end();
}
