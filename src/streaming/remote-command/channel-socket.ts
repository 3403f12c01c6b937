import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import { channels, decodeChannelMessage, encodeChannelMessage } from './channels.ts';

export interface RemoteCommandStreams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/**
 * The streams of a command in one WebSocket of v5.channel.k8s.io. Data for a stream that was not
 * asked for is thrown away; a reader that is behind stops the socket.
 */
export class ChannelSocket {
  /** What the client types; ends when the client closes it. Absent when not asked for. */
  readonly stdin: Readable | undefined;
  /** Terminal sizes as JSON values. */
  readonly resize: Readable | undefined;
  /** Resolves when the client has gone, whoever closed. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, streams: RemoteCommandStreams) {
    this.#socket = socket;
    const stdin = streams.stdin ? new PassThrough() : undefined;
    const resize = streams.tty ? new PassThrough() : undefined;
    this.stdin = stdin;
    this.resize = resize;
    const byChannel = new Map<number, PassThrough>();
    if (stdin !== undefined) byChannel.set(channels.stdin, stdin);
    if (resize !== undefined) byChannel.set(channels.resize, resize);
    socket.on('message', (message) => this.#receive(message as Buffer, byChannel));
    socket.on('error', () => socket.terminate());
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const stream of byChannel.values()) stream.end();
        resolve();
      });
    });
    this.#greet(streams);
  }

  /** Sends data on a channel; resolves when it has left, or when nobody is there any more. */
  async send(channel: number, data: Uint8Array): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    await new Promise<void>((resolve) => {
      this.#socket.send(encodeChannelMessage(channel, data), { binary: true }, () => resolve());
    });
  }

  /** Ends the connection in order. */
  close(): void {
    this.#socket.close(1000);
  }

  /** An empty message on the lowest channel to the client: some clients wait for it. */
  #greet(streams: RemoteCommandStreams): void {
    const lowest = streams.stdout
      ? channels.stdout
      : streams.stderr && !streams.tty
        ? channels.stderr
        : channels.error;
    void this.send(lowest, new Uint8Array(0));
  }

  #receive(bytes: Buffer, byChannel: ReadonlyMap<number, PassThrough>): void {
    const message = decodeChannelMessage(bytes);
    switch (message.type) {
      case 'data': {
        const stream = byChannel.get(message.channel);
        if (stream === undefined || stream.writableEnded || stream.write(message.data)) return;
        this.#socket.pause();
        stream.once('drain', () => this.#socket.resume());
        return;
      }
      case 'close':
        byChannel.get(message.channel)?.end();
        return;
      case 'invalid':
        this.#socket.close(1002, message.text);
        return;
      case 'empty':
    }
  }
}
