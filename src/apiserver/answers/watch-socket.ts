import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { acceptWebSocket, offeredProtocols } from '#streaming/websocket/mod.ts';
import type { Core } from '../core.ts';
import { readListOptions } from '../handlers/list-options.ts';
import { watchObjects } from '../handlers/watch.ts';
import type { WatchSession } from '../handlers/watch.ts';
import { negotiateStream } from '../negotiate.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { includeObjectOf } from './table.ts';
import { FrameCache, WatchEncoder, watchShapes } from './watch-answer.ts';

/** A client with this much waiting gets nothing more until it has caught up. */
const maxPendingBytes = 1024 * 1024;
const retryMs = 50;

/** Length of what stands before a protobuf event in a stream; messages have lengths of their own. */
const frameHeaderBytes = 4;

/** Whether an upgrade asks for a watch over a WebSocket. */
export function isWatchSocket(context: ResourceRequestContext, request: IncomingMessage): boolean {
  const { verb } = context.info;
  return verb === 'watch' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * A watch over a WebSocket: one message an event, text for JSON and binary for protobuf. Rejects
 * before the handshake when the watch is refused, so that the client gets a Status.
 */
export async function answerWatchSocket(options: {
  core: Core;
  served: ServedResource;
  context: ResourceRequestContext;
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}): Promise<void> {
  const { core, served, context, request, socket, head } = options;
  const form = negotiateStream(request.headers.accept, watchShapes);
  const namespace = served.info.namespaced ? context.info.namespace : '';
  const listOptions = readListOptions(context.query);
  const session = await watchObjects(core, served, namespace, context.info.name, listOptions);
  const encoder = new WatchEncoder(
    served,
    form,
    includeObjectOf(context.query, form.as),
    new FrameCache(1),
    () => core.clock.now(),
  );
  const isText = form.media !== 'protobuf';
  try {
    const protocol = offeredProtocols(request)[0] ?? '';
    const webSocket = await acceptWebSocket({ request, socket, head, protocol });
    webSocket.on('close', () => session.close());
    webSocket.on('error', () => webSocket.terminate());
    await pumpInto(session, {
      isOpen: () => webSocket.readyState === webSocket.OPEN,
      isFull: () => webSocket.bufferedAmount > maxPendingBytes,
      pause: () => core.clock.sleep(retryMs),
      onClose: (task) => webSocket.once('close', task),
      send: (item) => {
        const { bytes } = encoder.encode(item);
        const data = isText ? bytes : bytes.subarray(frameHeaderBytes);
        webSocket.send(data, { binary: !isText });
      },
    });
    webSocket.close(1000);
  } finally {
    session.close();
  }
}

interface Sink {
  isOpen(): boolean;
  isFull(): boolean;
  pause(): Promise<void>;
  onClose(task: () => void): void;
  send(item: NonNullable<ReturnType<WatchSession['next']>>): void;
}

/** Resolves when the session has ended or the client is gone. */
async function pumpInto(session: WatchSession, sink: Sink): Promise<void> {
  let wake: () => void = () => undefined;
  session.onWake = () => wake();
  sink.onClose(() => wake());
  while (sink.isOpen()) {
    if (sink.isFull()) {
      await sink.pause();
      continue;
    }
    const item = session.next();
    if (item !== undefined) {
      sink.send(item);
      continue;
    }
    if (session.isEnded) return;
    const woken = Promise.withResolvers<void>();
    wake = woken.resolve;
    await woken.promise;
  }
}
