import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { FakeClock } from '#base/fake-clock.ts';
import { openSpdy } from '../spdy/open-spdy.ts';
import { endCommand, startFakeStreamServer } from '../testing/mod.ts';
import type { FakeCommand } from '../testing/mod.ts';
import { acceptWebSocket } from '../websocket/accept-web-socket.ts';
import { channelProtocolV5 } from './channels.ts';
import type { RemoteCommandStreams } from './channel-socket.ts';
import { remoteCommandProtocols, translateRemoteCommand } from './translate.ts';

interface Client {
  webSocket: WebSocket;
  /** All that came on a channel until the server closed. */
  finished: Promise<Map<number, string>>;
  /** Resolves when a channel has this text. */
  has(channel: number, text: string): Promise<void>;
  send(channel: number, text: string): void;
}

const noStreams = { stdin: false, stdout: false, stderr: false, tty: false };

/** A WebSocket client whose command runs on a fake runtime. */
async function start(
  t: TestContext,
  options: {
    streams: Partial<RemoteCommandStreams>;
    run: (command: FakeCommand) => Promise<void>;
    protocols?: readonly string[];
    port?: number;
  },
): Promise<Client> {
  const streams = { ...noStreams, ...options.streams };
  const asked = ['stdin', 'stdout', 'stderr'].filter(
    (name) => streams[name as 'stdin'] && !(streams.tty && name === 'stderr'),
  );
  const runtime = await startFakeStreamServer({
    expect: ['error', ...asked, ...(streams.tty ? ['resize'] : [])],
    run: options.run,
    ...(options.protocols === undefined ? {} : { protocols: options.protocols }),
  });
  const front = createServer();
  front.on('upgrade', (request, socket, head) => {
    void (async () => {
      const protocol = channelProtocolV5;
      const webSocket = await acceptWebSocket({ request, socket, head, protocol });
      await translateRemoteCommand({
        webSocket,
        streams,
        open: (signal) =>
          openSpdy({
            connection: connect(options.port ?? runtime.port, '127.0.0.1'),
            host: 'runtime',
            path: '/exec/token',
            protocols: remoteCommandProtocols,
            signal,
          }),
        clock: new FakeClock(),
      });
    })();
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/`, [channelProtocolV5]);
  t.after(async () => {
    webSocket.terminate();
    await runtime.close();
    await new Promise((resolve) => front.close(resolve));
  });
  return follow(webSocket);
}

async function follow(webSocket: WebSocket): Promise<Client> {
  const received = new Map<number, string>();
  const waiting = new Set<() => void>();
  webSocket.on('message', (message: Buffer) => {
    const channel = message[0] as number;
    received.set(channel, (received.get(channel) ?? '') + message.toString('utf8', 1));
    for (const check of waiting) check();
  });
  const finished = new Promise<Map<number, string>>((resolve) => {
    webSocket.once('close', () => resolve(received));
  });
  await new Promise((resolve) => webSocket.once('open', resolve));
  return {
    webSocket,
    finished,
    has: (channel, text) =>
      new Promise((resolve) => {
        const check = (): void => {
          if ((received.get(channel) ?? '').includes(text)) resolve();
        };
        waiting.add(check);
        check();
      }),
    send: (channel, text) => webSocket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)])),
  };
}

function statusOf(received: Map<number, string>): { message?: string; status: string } {
  return JSON.parse(received.get(3) ?? '') as { message?: string; status: string };
}

test('output, error output and success reach the client', async (t) => {
  const client = await start(t, {
    streams: { stdout: true, stderr: true },
    run: async (command) => {
      command.streams.get('stdout')?.write('out');
      command.streams.get('stderr')?.write('err');
      endCommand(command, { status: 'Success' });
    },
  });
  const received = await client.finished;
  assert.equal(received.get(1), 'out');
  assert.equal(received.get(2), 'err');
  assert.equal(received.get(3), '{"metadata":{},"status":"Success"}');
});

test('closing stdin alone lets the command finish', async (t) => {
  const client = await start(t, {
    streams: { stdin: true, stdout: true },
    run: async (command) => {
      const stdin = command.streams.get('stdin');
      const parts: Buffer[] = [];
      stdin?.on('data', (part: Buffer) => parts.push(part));
      await new Promise((resolve) => stdin?.once('end', resolve));
      command.streams.get('stdout')?.write(`read ${Buffer.concat(parts).toString()}`);
      endCommand(command, { status: 'Success' });
    },
  });
  client.send(0, 'one ');
  client.send(0, 'two');
  client.webSocket.send(Buffer.of(255, 0));
  assert.equal((await client.finished).get(1), 'read one two');
});

test('the exit code is told in the form of the API server', async (t) => {
  const client = await start(t, {
    streams: { stdout: true },
    run: async (command) => {
      const causes = [{ reason: 'ExitCode', message: '3' }];
      const details = { causes };
      endCommand(command, { status: 'Failure', reason: 'NonZeroExitCode', details });
    },
  });
  assert.deepEqual(statusOf(await client.finished), {
    metadata: {},
    status: 'Failure',
    message: 'command terminated with non-zero exit code: command terminated with exit code 3',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  });
});

test('terminal sizes reach the runtime, error output is left out with a terminal', async (t) => {
  const client = await start(t, {
    streams: { stdin: true, stdout: true, stderr: true, tty: true },
    run: async (command) => {
      const resize = command.streams.get('resize');
      const size = await new Promise((resolve) => resize?.once('data', resolve));
      command.streams.get('stdout')?.write(String(size));
      endCommand(command, { status: 'Success' });
    },
  });
  client.send(4, '{"Width":80,"Height":24}');
  const received = await client.finished;
  assert.equal(received.get(1), '{"Width":80,"Height":24}');
  assert.equal(received.has(2), false);
});

test('what goes wrong before the command runs is told on the error channel', async (t) => {
  const refused = await start(t, { streams: { stdout: true }, run: async () => {}, protocols: [] });
  assert.equal(
    statusOf(await refused.finished).message,
    'Internal error occurred: unable to upgrade connection: refuse',
  );
  const unreachable = await start(t, { streams: { stdout: true }, run: async () => {}, port: 1 });
  assert.match(statusOf(await unreachable.finished).message ?? '', /ECONNREFUSED/);
});

test('a connection that breaks is no success', async (t) => {
  const client = await start(t, {
    streams: { stdout: true },
    run: async (command) => command.session.destroy(),
  });
  const status = statusOf(await client.finished);
  assert.equal(status.status, 'Failure');
  assert.match(status.message ?? '', /connection to the container was lost/);
});

test('an old runtime tells errors as text', async (t) => {
  const client = await start(t, {
    streams: { stdout: true },
    protocols: ['v2.channel.k8s.io'],
    run: async (command) => {
      command.streams.get('stdout')?.end();
      command.streams.get('error')?.end('no such file');
    },
  });
  const { message } = statusOf(await client.finished);
  assert.equal(message, 'Internal error occurred: error executing remote command: no such file');
});

test('a client that leaves ends the command', async (t) => {
  const ended = Promise.withResolvers<void>();
  const client = await start(t, {
    streams: { stdin: true, stdout: true },
    run: async (command) => {
      void command.session.closed.then(() => ended.resolve());
      command.streams.get('stdout')?.write('ready');
    },
  });
  await client.has(1, 'ready');
  client.webSocket.terminate();
  await ended.promise;
});

test('a close message for no channel ends the connection', async (t) => {
  const client = await start(t, { streams: { stdin: true }, run: async () => {} });
  client.webSocket.send(Buffer.of(255));
  await client.finished;
});
