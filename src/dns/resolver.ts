import type { Answer, DecodedPacket, Packet, Question } from 'dns-packet';

import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ClusterZone } from './cluster-zone.ts';
import type { Forwarder } from './forwarder.ts';

const flagAuthoritative = 0x0400;
const flagRecursionDesired = 0x0100;
const flagRecursionAvailable = 0x0080;
const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;
type Rcode = keyof typeof rcodes;

/** What decoding gives beside the published types. */
interface WireCodes {
  readonly opcode?: string;
  readonly rcode?: string;
}

interface Result {
  readonly rcode: Rcode;
  readonly isAuthoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
}

const failure = (rcode: Rcode): Result => ({ rcode, isAuthoritative: false, answers: [] });

/** Answers one query: the cluster's names from the zone, all others through the forwarder. */
export async function answerQuery(
  query: DecodedPacket,
  options: { zone: ClusterZone; forwarder: Forwarder; log: Logger },
): Promise<Packet> {
  const { log } = options;
  const [question, ...more] = query.questions ?? [];
  let result: Result;
  try {
    if (question === undefined || more.length > 0) result = failure('FORMERR');
    else if ((query as WireCodes).opcode !== 'QUERY') result = failure('NOTIMP');
    else result = await resolve(question, options);
  } catch (error) {
    log.debug('Cannot resolve a name', { name: question?.name, error: messageOf(error) });
    result = failure('SERVFAIL');
  }
  const asked = query.flag_rd ? flagRecursionDesired : 0;
  return {
    type: 'response',
    id: query.id,
    flags:
      rcodes[result.rcode] |
      (result.isAuthoritative ? flagAuthoritative : 0) |
      asked |
      flagRecursionAvailable,
    questions: query.questions ?? [],
    answers: [...result.answers],
    authorities: [...(result.authorities ?? [])],
    additionals: [...(result.additionals ?? [])],
  };
}

async function resolve(
  question: Question,
  { zone, forwarder }: { zone: ClusterZone; forwarder: Forwarder },
): Promise<Result> {
  const own = zone.answer(question.name.toLowerCase(), question.type);
  if (own === undefined) return await forward(question, forwarder);
  if (!own.exists || own.answers.length === 0) {
    const rcode = own.exists ? 'NOERROR' : 'NXDOMAIN';
    return { rcode, isAuthoritative: true, answers: [], authorities: [zone.soa()] };
  }
  if (own.alias !== undefined && (question.type === 'A' || question.type === 'AAAA')) {
    const target: Question = { name: own.alias, type: question.type, class: 'IN' };
    const inside = zone.answer(own.alias.toLowerCase(), question.type);
    const found =
      inside === undefined ? (await forward(target, forwarder)).answers : inside.answers;
    return { rcode: 'NOERROR', isAuthoritative: true, answers: [...own.answers, ...found] };
  }
  return {
    rcode: 'NOERROR',
    isAuthoritative: true,
    answers: own.answers,
    additionals: own.additionals,
  };
}

async function forward(question: Question, forwarder: Forwarder): Promise<Result> {
  const packet = await forwarder.resolve(question);
  const rcode = (packet as WireCodes).rcode ?? 'NOERROR';
  return {
    rcode: rcode in rcodes ? (rcode as Rcode) : 'SERVFAIL',
    isAuthoritative: false,
    answers: packet.answers ?? [],
    authorities: packet.authorities ?? [],
  };
}
