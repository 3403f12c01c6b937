import { once } from 'node:events';
import { connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { K3tsError } from '#base/errors.ts';
import { openSpdy, readErrorStream, remoteCommandProtocols } from '#streaming/mod.ts';
import type { CommandStatus, SpdySession, SpdyStream } from '#streaming/mod.ts';
import type { ProcessStreams } from '../process-streams.ts';

export interface ExecStreamsOptions {
  /** Of the runtime's streaming server, good for one use. */
  url: string;
  hasStdin: boolean;
  isTty: boolean;
  streams: ProcessStreams;
  signal: AbortSignal;
}

/** Joins the process' own streams with those of a command and answers the command's exit code. */
export async function execWithStreams(options: ExecStreamsOptions): Promise<number> {
  const { hasStdin, isTty, streams, signal } = options;
  const { session, protocol } = await openSession(options);
  const leave = (): void => session.destroy();
  signal.addEventListener('abort', leave, { once: true });
  const isRaw = isTty && hasStdin && streams.isTerminal;
  try {
    // The order is upstream's; servers count the streams before they start.
    const errors = await openStream(session, 'error');
    const stdin = hasStdin ? await openStream(session, 'stdin') : undefined;
    const stdout = await openStream(session, 'stdout');
    const stderr = isTty ? undefined : await openStream(session, 'stderr');
    const resize = isTty ? await openStream(session, 'resize') : undefined;
    if (isRaw) streams.setRawMode(true);
    const stopSizes = resize === undefined ? undefined : sendSizes(resize, streams);
    if (stdin !== undefined) {
      stdin.resume();
      // Input ends when the command does; what it did not take is nobody's.
      streams.stdin.pipe(stdin);
    }
    const text = readAll(errors);
    await Promise.all([
      copy(stdout, streams.stdout),
      stderr === undefined ? undefined : copy(stderr, streams.stderr),
    ]);
    const status = readErrorStream(protocol, await text);
    stopSizes?.();
    if (signal.aborted) throw signal.reason;
    return exitCodeOf(status);
  } finally {
    if (isRaw) streams.setRawMode(false);
    streams.stdin.unpipe();
    signal.removeEventListener('abort', leave);
    session.destroy();
  }
}

async function openSession({
  url,
  signal,
}: ExecStreamsOptions): Promise<{ session: SpdySession; protocol: string }> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const connection = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port) });
  await once(connection, 'connect', { signal });
  const path = `${pathname}${search}`;
  return await openSpdy({ connection, host, path, protocols: remoteCommandProtocols, signal });
}

async function openStream(session: SpdySession, streamType: string): Promise<SpdyStream> {
  const stream = session.openStream({ streamtype: streamType });
  // A broken connection is told by what the error stream lacks.
  stream.on('error', () => undefined);
  await stream.accepted;
  return stream;
}

function sendSizes(target: SpdyStream, streams: ProcessStreams): () => void {
  target.resume();
  return streams.watchSize((columns, rows) => {
    target.write(`${JSON.stringify({ Width: columns, Height: rows })}\n`);
  });
}

/** A connection that breaks ends the output; what the error stream lacks tells. */
async function copy(source: SpdyStream, target: NodeJS.WritableStream): Promise<void> {
  await pipeline(source, target, { end: false }).catch((error: unknown) => {
    if (!source.destroyed) throw error;
  });
}

async function readAll(stream: SpdyStream): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of stream) parts.push(part as Buffer);
  } catch {
    // As above: an incomplete status is told as a lost connection.
  }
  return Buffer.concat(parts).toString();
}

function exitCodeOf(status: CommandStatus): number {
  if (status.status === 'Success') return 0;
  const causes = status.details?.causes ?? [];
  const code = causes.find(({ reason }) => reason === 'ExitCode')?.message;
  if (code !== undefined) return Number(code);
  throw new K3tsError('ExecFailed', causes[0]?.message ?? status.message ?? 'the command failed');
}
