import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { FrameReader } from './frame-reader.ts';
import { encodeControl } from './frames.ts';
import type { Frame } from './frames.ts';
import { SpdySession } from './session.ts';
import type { SpdyStream } from './stream.ts';

async function buffer(stream: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  await new Promise((resolve) => stream.once('end', resolve));
  return Buffer.concat(parts);
}

async function text(stream: Duplex): Promise<string> {
  return (await buffer(stream)).toString();
}

function connect(onStream?: (stream: SpdyStream) => void): {
  client: SpdySession;
  server: SpdySession;
} {
  const [left, right] = duplexPair();
  return {
    client: new SpdySession({ socket: left, side: 'client' }),
    server: new SpdySession({ socket: right, side: 'server', onStream }),
  };
}

test('streams carry data both ways and end each way by itself', async () => {
  const { client, server } = connect((stream) => {
    void text(stream).then((received) => stream.end(`${stream.headers['port']}:${received}`));
  });
  const streams = [80, 443].map((port) => client.openStream({ Port: String(port) }));
  await Promise.all(streams.map((stream) => stream.accepted));
  for (const stream of streams) stream.end(`to ${stream.id}`);
  assert.deepEqual(await Promise.all(streams.map((stream) => text(stream))), [
    '80:to 1',
    '443:to 3',
  ]);
  client.close();
  assert.equal(await server.closed, undefined);
});

test('more data than any buffer holds arrives whole', async () => {
  const { client } = connect((stream) => stream.pipe(stream));
  const stream = client.openStream({});
  await stream.accepted;
  const sent = Buffer.alloc(3 * 1024 * 1024, 'abcdefg');
  stream.end(sent);
  assert.equal((await buffer(stream)).equals(sent), true);
});

test('a slow reader of a stream holds back the sender', async () => {
  let received: SpdyStream | undefined;
  const { client } = connect((stream) => {
    received = stream;
  });
  const stream = client.openStream({});
  await stream.accepted;
  let written = 0;
  const chunk = Buffer.alloc(64 * 1024);
  for (let turn = 0; turn < 200; turn++) {
    if (!stream.writableNeedDrain) {
      stream.write(chunk);
      written += chunk.length;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(stream.writableNeedDrain, true);
  assert.ok(written < 2 * 1024 * 1024);
  received?.resume();
  stream.end();
  await new Promise((resolve) => stream.once('finish', resolve));
});

test('a server that wants no streams refuses them', async () => {
  const { client } = connect();
  await assert.rejects(client.openStream({}).accepted, { code: 'SpdyReset' });
});

test('a reset ends reading after what came before it, and fails writing', async () => {
  const { client } = connect((stream) => {
    stream.write('last words', () => stream.destroy());
  });
  const stream = client.openStream({});
  await stream.accepted;
  const failed = new Promise<Error>((resolve) => stream.once('error', resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await text(stream), 'last words');
  stream.write('too late');
  assert.equal(((await failed) as Error & { code: string }).code, 'SpdyReset');
});

test('the end of the connection ends streams without an error', async () => {
  const { client, server } = connect((stream) => stream.write('half'));
  const stream = client.openStream({});
  await stream.accepted;
  const received = text(stream);
  await new Promise((resolve) => stream.once('data', resolve));
  server.close();
  assert.equal(await received, 'half');
});

test('pings of the peer are answered, answers to own ones are not', async () => {
  const [near, far] = duplexPair();
  const session = new SpdySession({ socket: near, side: 'client' });
  const frames = readFrames(far);
  session.ping();
  assert.deepEqual((await frames.next()).value, { type: 'ping', id: 1 });
  far.write(encodeControl({ type: 'ping', id: 1 }));
  far.write(encodeControl({ type: 'ping', id: 2 }));
  assert.deepEqual((await frames.next()).value, { type: 'ping', id: 2 });
  session.destroy();
});

test('a peer that breaks the protocol ends the connection', async () => {
  const [near, far] = duplexPair();
  const session = new SpdySession({ socket: near, side: 'client' });
  far.write(Buffer.from('8009000600000000', 'hex'));
  assert.match((await session.closed)?.message ?? '', /SPDY version 9/);
  assert.throws(() => session.openStream({}), { code: 'SpdyClosed' });
});

async function* readFrames(socket: Duplex): AsyncGenerator<Frame> {
  const reader = new FrameReader();
  for await (const chunk of socket) yield* reader.read(chunk as Buffer);
}
