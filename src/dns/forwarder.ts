import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

import { decode, encode, streamEncode } from 'dns-packet';
import type { DecodedPacket, Packet, Question } from 'dns-packet';

import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import type { Random } from '#base/random.ts';

const timeoutMs = 2000;
/** Questions under way at once; more are refused, so that a flood does not open sockets without end. */
const maxInFlight = 1000;
const maxCached = 4096;
const maxTtlSeconds = 30;
const udpPayloadBytes = 1232;

export interface Forwarder {
  /** The upstream's answer; throws `Unavailable` when no nameserver answers. */
  resolve(question: Question): Promise<Packet>;
}

interface Cached {
  readonly packet: Packet;
  readonly expiresMs: number;
}

/** Asks the machine's own nameservers in order, and keeps answers for up to 30 s. */
export function createForwarder(options: {
  nameservers: readonly string[];
  /** 53 everywhere but in tests. */
  port?: number | undefined;
  clock: Clock;
  random: Random;
}): Forwarder {
  const { nameservers, port = 53, clock, random } = options;
  const cache = new Map<string, Cached>();
  const pending = new Map<string, Promise<Packet>>();

  const ask = async (question: Question): Promise<Packet> => {
    let lastError: unknown;
    for (const nameserver of nameservers) {
      try {
        const id = random.integer(65_536);
        const call = { nameserver, port, question, id, clock };
        const packet = await askUdp(call);
        return packet.flag_tc ? await askTcp(call) : packet;
      } catch (error) {
        lastError = error;
      }
    }
    throw new K3tsError('Unavailable', 'no nameserver answers', { cause: lastError });
  };

  const keep = (key: string, packet: Packet): void => {
    const rcode = (packet as { rcode?: string }).rcode ?? 'NOERROR';
    if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return;
    const records = [...(packet.answers ?? []), ...(packet.authorities ?? [])];
    const ttls = records.map((record) => ('ttl' in record ? (record.ttl ?? 0) : 0));
    const seconds = ttls.length === 0 ? 0 : Math.min(maxTtlSeconds, ...ttls);
    if (seconds === 0) return;
    // The oldest entry goes first: Map keeps the order of insertion.
    const [oldest] = cache.keys();
    if (cache.size >= maxCached && oldest !== undefined) cache.delete(oldest);
    cache.set(key, { packet, expiresMs: clock.now() + seconds * 1000 });
  };

  return {
    async resolve(question) {
      const key = `${question.name.toLowerCase()}/${question.type}`;
      const cached = cache.get(key);
      if (cached !== undefined && cached.expiresMs > clock.now()) return cached.packet;
      cache.delete(key);
      const known = pending.get(key);
      if (known !== undefined) return await known;
      if (pending.size >= maxInFlight) {
        throw new K3tsError('Unavailable', `more than ${maxInFlight} questions under way`);
      }
      const answer = ask(question);
      pending.set(key, answer);
      try {
        const packet = await answer;
        keep(key, packet);
        return packet;
      } finally {
        pending.delete(key);
      }
    },
  };
}

/** One question to one nameserver. */
interface Call {
  readonly nameserver: string;
  readonly port: number;
  readonly question: Question;
  readonly id: number;
  readonly clock: Clock;
}

function queryOf(question: Question, id: number): Packet {
  return {
    type: 'query',
    id,
    flags: 0x0100, // RD: the upstream shall recurse.
    questions: [question],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: udpPayloadBytes,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  };
}

function askUdp(call: Call): Promise<DecodedPacket> {
  const { nameserver, port, question, id, clock } = call;
  return new Promise((resolve, reject) => {
    const socket = createSocket(nameserver.includes(':') ? 'udp6' : 'udp4');
    const timer = clock.after(timeoutMs, () => finish(() => reject(timeoutOf(nameserver))));
    const finish = (then: () => void): void => {
      timer.cancel();
      socket.close();
      then();
    };
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('message', (message, from) => {
      if (from.address !== nameserver) return;
      const packet = tryDecode(message);
      // Anything else on this socket is a late or a forged answer.
      if (packet?.id === id) finish(() => resolve(packet));
    });
    socket.send(encode(queryOf(question, id)), port, nameserver);
  });
}

function askTcp(call: Call): Promise<DecodedPacket> {
  const { nameserver, port, question, id, clock } = call;
  return new Promise((resolve, reject) => {
    const socket = connect(port, nameserver);
    const timer = clock.after(timeoutMs, () => socket.destroy(timeoutOf(nameserver)));
    const chunks: Buffer[] = [];
    socket.on('connect', () => socket.write(streamEncode(queryOf(question, id))));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const data = Buffer.concat(chunks);
      if (data.length < 2 || data.length < 2 + data.readUInt16BE(0)) return;
      const packet = tryDecode(data.subarray(2));
      if (packet === undefined) socket.destroy(new Error(`bad answer of ${nameserver}`));
      else resolve(packet);
      socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      timer.cancel();
      reject(new Error(`${nameserver} closed the connection`));
    });
  });
}

function tryDecode(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

function timeoutOf(nameserver: string): Error {
  return new Error(`${nameserver} did not answer within ${timeoutMs} ms`);
}
