import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { openUpgrade } from '../upgrade/open-upgrade.ts';
import { acceptWebSocket, offeredProtocols } from './accept-web-socket.ts';
import { findTunnelProtocol, tunnelSpdy } from './tunnel.ts';

test('the tunnel protocol is found among others', () => {
  const cases: readonly [offered: string[], inner: string | undefined][] = [
    [['SPDY/3.1+portforward.k8s.io'], 'portforward.k8s.io'],
    [['v4.channel.k8s.io', 'SPDY/3.1+portforward.k8s.io'], 'portforward.k8s.io'],
    [['v4.channel.k8s.io'], undefined],
    [['SPDY/3.1+other'], undefined],
    [[], undefined],
  ];
  for (const [offered, inner] of cases) assert.equal(findTunnelProtocol(offered)?.inner, inner);
});

/** A binary message of a client, masked with zeros. */
function message(text: string): Buffer {
  const head = Buffer.from([0x82, 0x80 | text.length, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(text)]);
}

test('bytes go through whatever the borders of messages, and the end of one side is told', async (t) => {
  const [backend, tunnelled] = duplexPair();
  const front = createServer();
  front.on('upgrade', (request, socket, head) => {
    void (async () => {
      const protocol = offeredProtocols(request)[0] ?? '';
      const webSocket = await acceptWebSocket({ request, socket, head, protocol });
      await tunnelSpdy({ webSocket, socket: tunnelled, head: Buffer.from('first ') });
    })();
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  t.after(() => front.close());
  const answer = await openUpgrade({
    method: 'GET',
    path: '/',
    headers: [
      'Host',
      'x',
      'Connection',
      'Upgrade',
      'Upgrade',
      'websocket',
      'Sec-WebSocket-Version',
      '13',
      'Sec-WebSocket-Key',
      'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol',
      'SPDY/3.1+portforward.k8s.io',
    ],
    connection: connect((front.address() as AddressInfo).port, '127.0.0.1'),
  });
  assert.ok(answer.isSwitched);
  const { response, socket, head } = answer;
  assert.equal(response.headers['sec-websocket-protocol'], 'SPDY/3.1+portforward.k8s.io');
  let received = head.toString('latin1');
  socket.on('data', (data: Buffer) => (received += data.toString('latin1')));
  socket.write(message('to the '));
  socket.write(message('backend'));
  let arrived = '';
  await new Promise<void>((resolve) => {
    backend.on('data', (data: Buffer) => {
      arrived += data.toString();
      if (arrived === 'to the backend') resolve();
    });
  });
  backend.end('second');
  while (!received.includes('\x88')) await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  assert.ok(received.startsWith('\x82\x06first \x82\x06second\x88'));
});
