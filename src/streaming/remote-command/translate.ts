import type { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { SpdySession } from '../spdy/session.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { ChannelSocket } from './channel-socket.ts';
import type { RemoteCommandStreams } from './channel-socket.ts';
import { channels } from './channels.ts';
import { failureStatus, readErrorStream } from './error-stream.ts';
import type { CommandStatus } from './error-stream.ts';

/** Stream protocols of exec and attach over SPDY, the best first. */
export const remoteCommandProtocols: readonly string[] = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
];

const pingPeriodMs = 5000;
const acceptTimeoutMs = 30_000;
/** Longest status taken from a runtime. */
const maxStatusBytes = 1024 * 1024;

export interface TranslateOptions {
  /** A client that speaks v5.channel.k8s.io, accepted already. */
  webSocket: WebSocket;
  streams: RemoteCommandStreams;
  /** Connects to whoever runs the command. */
  open: (signal: AbortSignal) => Promise<{ session: SpdySession; protocol: string }>;
  clock: Clock;
}

/**
 * Runs a command for a WebSocket client on a backend that speaks SPDY, as kube-apiserver's stream
 * translator does: every failure, that of the backend to answer included, reaches the client as a
 * Status on the error channel. Never rejects; resolves when the client has gone.
 */
export async function translateRemoteCommand(options: TranslateOptions): Promise<void> {
  const { webSocket, streams, clock } = options;
  const client = new ChannelSocket(webSocket, streams);
  const leaving = new AbortController();
  void client.closed.then(() => leaving.abort());
  let status: CommandStatus;
  try {
    const { session, protocol } = await options.open(leaving.signal);
    void client.closed.then(() => session.destroy());
    const stopPings = keepAlive(session, clock);
    try {
      status = await runCommand({ client, streams, session, protocol, clock });
    } finally {
      stopPings();
      session.close();
    }
  } catch (error) {
    status = failureStatus(messageOf(error));
  }
  await client.send(channels.error, Buffer.from(JSON.stringify(status)));
  client.close();
  await client.closed;
}

interface Run {
  client: ChannelSocket;
  streams: RemoteCommandStreams;
  session: SpdySession;
  protocol: string;
  clock: Clock;
}

async function runCommand(run: Run): Promise<CommandStatus> {
  const { client, streams, protocol } = run;
  // The order is upstream's; servers count the streams before they start.
  const errors = await openStream(run, 'error');
  const stdin = streams.stdin ? await openStream(run, 'stdin') : undefined;
  const stdout = streams.stdout ? await openStream(run, 'stdout') : undefined;
  const stderr = streams.stderr && !streams.tty ? await openStream(run, 'stderr') : undefined;
  const hasResize = streams.tty && ['v3.channel.k8s.io', 'v4.channel.k8s.io'].includes(protocol);
  const resize = hasResize ? await openStream(run, 'resize') : undefined;
  const told = readAll(errors);
  if (stdin !== undefined) feed(client.stdin, stdin);
  if (resize !== undefined) feed(client.resize, resize);
  await Promise.all([
    stdout === undefined ? undefined : forward(stdout, client, channels.stdout),
    stderr === undefined ? undefined : forward(stderr, client, channels.stderr),
  ]);
  return readErrorStream(protocol, await told);
}

async function openStream(run: Run, streamType: string): Promise<SpdyStream> {
  const stream = run.session.openStream({ streamtype: streamType });
  // A broken connection is told by the error stream, or ends everything: no stream does it alone.
  stream.on('error', () => undefined);
  const timer = run.clock.after(acceptTimeoutMs, () => stream.destroy());
  try {
    await stream.accepted;
  } finally {
    timer.cancel();
  }
  return stream;
}

function feed(source: Readable | undefined, target: SpdyStream): void {
  source?.on('error', () => target.destroy());
  source?.pipe(target);
  // What a peer sends on a stream that is for us to write is of no use, but must be read.
  target.resume();
}

async function forward(source: SpdyStream, client: ChannelSocket, channel: number): Promise<void> {
  try {
    for await (const data of contentOf(source)) await client.send(channel, data);
  } catch {
    // A reset ends the output as FIN does; the error stream says what happened.
  }
}

/** What comes in on a stream; its end does not reset the other direction. */
function contentOf(stream: SpdyStream): AsyncIterable<Buffer> {
  return stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

async function readAll(stream: SpdyStream): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of contentOf(stream)) {
      sizeBytes += part.length;
      if (sizeBytes <= maxStatusBytes) parts.push(part);
    }
  } catch {
    // As above.
  }
  return Buffer.concat(parts).toString();
}

/** Pings until told to stop, so that a dead backend is noticed and gateways keep the connection. */
function keepAlive(session: SpdySession, clock: Clock): () => void {
  const tick = (): void => {
    session.ping();
    timer = clock.after(pingPeriodMs, tick);
  };
  let timer = clock.after(pingPeriodMs, tick);
  return () => timer.cancel();
}
