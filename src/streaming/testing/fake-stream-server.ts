import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { SpdySession } from '../spdy/session.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { answerHead, listOf } from '../upgrade/headers.ts';

export interface FakeCommand {
  /** Path and query of the request. */
  url: string;
  protocol: string;
  /** By stream type, as the client opened them. */
  streams: ReadonlyMap<string, SpdyStream>;
  session: SpdySession;
}

export interface FakeStreamServer {
  url: string;
  port: number;
  requests: IncomingMessage[];
  close(): Promise<void>;
}

/**
 * A streaming server as container runtimes have: it switches to SPDY, waits for the streams of a
 * command, and hands them to `run`. For port-forward `run` gets each pair of streams.
 */
export async function startFakeStreamServer(options: {
  /** Streams to wait for before `run`. */
  expect: readonly string[];
  run: (command: FakeCommand) => Promise<void>;
  /** Server's order of preference does not matter: the client's first known one is picked. */
  protocols?: readonly string[];
}): Promise<FakeStreamServer> {
  const { expect, run, protocols = ['v4.channel.k8s.io'] } = options;
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Duplex>();
  const server: Server = createServer((_request, response) => {
    response.writeHead(404).end('404 page not found');
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    requests.push(request);
    socket.on('error', () => undefined);
    const asked = listOf(request.headers['x-stream-protocol-version']);
    const protocol = asked.find((one) => protocols.includes(one));
    if (protocol === undefined) {
      socket.end(answerHead(403, 'Forbidden', ['Content-Length', '6']) + 'refuse');
      return;
    }
    socket.write(
      answerHead(101, 'Switching Protocols', [
        'Connection',
        'Upgrade',
        'Upgrade',
        'SPDY/3.1',
        'X-Stream-Protocol-Version',
        protocol,
      ]),
    );
    let streams = new Map<string, SpdyStream>();
    const session: SpdySession = new SpdySession({
      socket,
      head,
      side: 'server',
      onStream: (stream) => {
        stream.on('error', () => undefined);
        streams.set(stream.headers['streamtype'] ?? '', stream);
        if (!expect.every((type) => streams.has(type))) return;
        const complete = streams;
        streams = new Map();
        void run({ url: request.url ?? '', protocol, streams: complete, session });
      },
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Ends a command as a runtime does: output streams, then the status. */
export function endCommand(command: FakeCommand, status: object): void {
  command.streams.get('stdout')?.end();
  command.streams.get('stderr')?.end();
  command.streams.get('error')?.end(JSON.stringify(status));
}
