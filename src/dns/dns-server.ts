import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { decode, encode, streamEncode } from 'dns-packet';
import type { DecodedPacket, Packet } from 'dns-packet';

import { cidrContains, parseCidr, tryParseIp } from '#base/cidr.ts';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Informer } from '#client/mod.ts';
import type { EndpointSlice, Service } from '#schema/types.ts';
import { createClusterZone } from './cluster-zone.ts';
import { createForwarder } from './forwarder.ts';
import { answerQuery } from './resolver.ts';

/** What a client without EDNS takes over UDP. */
const plainUdpBytes = 512;
const maxUdpBytes = 1232;
const tcpIdleMs = 10_000;
const maxTcpConnections = 256;

export interface DnsServerOptions {
  readonly services: Informer<Service>;
  readonly endpointSlices: Informer<EndpointSlice>;
  readonly domain: string;
  /** The machine's own resolvers. */
  readonly nameservers: readonly string[];
  readonly addresses: readonly string[];
  readonly port: number;
  /** Networks whose questions are answered; others are dropped, so that it is no open resolver. */
  readonly allowedCidrs: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface DnsServer {
  /** Stops listening; questions under way are dropped. */
  close(): Promise<void>;
}

/** Listens on UDP and TCP; rejects when a port is taken. Call before the informers are started. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { clock, random, log, addresses, port } = options;
  const zone = createClusterZone(options);
  const forwarder = createForwarder({ nameservers: options.nameservers, clock, random });
  const answer = (query: DecodedPacket): Promise<Packet> =>
    answerQuery(query, { zone, forwarder, log });
  const isAllowed = createSourceFilter(options.allowedCidrs);
  const sockets: UdpSocket[] = [];
  const servers: Server[] = [];
  try {
    for (const address of addresses) {
      sockets.push(await listenUdp({ address, port, answer, isAllowed, log }));
      servers.push(await listenTcp({ address, port, answer, isAllowed, clock }));
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    for (const server of servers) server.close();
    throw new K3tsError('PortInUse', `cluster DNS cannot listen: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return {
    async close() {
      for (const socket of sockets) socket.close();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

type Answerer = (query: DecodedPacket) => Promise<Packet>;

function createSourceFilter(cidrs: readonly string[]): (address: string) => boolean {
  const networks = cidrs.map(parseCidr);
  return (address) => {
    const ip = tryParseIp(address.replace(/^::ffff:/, ''));
    return ip !== undefined && networks.some((network) => cidrContains(network, ip));
  };
}

function listenUdp(options: {
  address: string;
  port: number;
  answer: Answerer;
  isAllowed: (address: string) => boolean;
  log: Logger;
}): Promise<UdpSocket> {
  const { address, port, answer, isAllowed, log } = options;
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' });
  socket.on('message', (message, from) => {
    if (!isAllowed(from.address)) return;
    const query = tryDecodeQuery(message);
    if (query === undefined) return;
    answer(query).then(
      (packet) => socket.send(encodeUdp(packet, query), from.port, from.address),
      (error: unknown) => log.warning('DNS answer failed', { error: messageOf(error) }),
    );
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      socket.on('error', (error) => log.warning('DNS socket', { error: error.message }));
      resolve(socket);
    });
  });
}

/** Answers that a client cannot take over UDP are cut, with the flag that sends it to TCP. */
function encodeUdp(packet: Packet, query: DecodedPacket): Buffer {
  const edns = query.additionals?.find((record) => record.type === 'OPT');
  const clientBytes = edns?.type === 'OPT' ? edns.udpPayloadSize : plainUdpBytes;
  const limit = Math.min(Math.max(clientBytes, plainUdpBytes), maxUdpBytes);
  const whole = encode(packet);
  if (whole.length <= limit) return whole;
  const truncated = 0x0200;
  return encode({
    ...packet,
    flags: (packet.flags ?? 0) | truncated,
    answers: [],
    authorities: [],
    additionals: [],
  });
}

function listenTcp(options: {
  address: string;
  port: number;
  answer: Answerer;
  isAllowed: (address: string) => boolean;
  clock: Clock;
}): Promise<Server> {
  const { address, port, answer, isAllowed, clock } = options;
  const server = createServer((socket) => {
    if (isAllowed(socket.remoteAddress ?? '')) serveTcp(socket, answer, clock);
    else socket.destroy();
  });
  server.maxConnections = maxTcpConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}

function serveTcp(socket: Socket, answer: Answerer, clock: Clock): void {
  let received: Buffer = Buffer.alloc(0);
  let idle = clock.after(tcpIdleMs, () => socket.destroy());
  socket.on('close', () => idle.cancel());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    idle.cancel();
    idle = clock.after(tcpIdleMs, () => socket.destroy());
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= 2) {
      const end = 2 + received.readUInt16BE(0);
      if (received.length < end) return;
      const query = tryDecodeQuery(received.subarray(2, end));
      received = received.subarray(end);
      if (query === undefined) {
        socket.destroy();
        return;
      }
      answer(query).then(
        (packet) => socket.write(streamEncode(packet)),
        () => socket.destroy(),
      );
    }
  });
}

function tryDecodeQuery(message: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(message);
    return packet.type === 'query' ? packet : undefined;
  } catch {
    return undefined;
  }
}
