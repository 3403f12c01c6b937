import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** The only source of chance, handed in so that tests can make it repeatable. */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** An integer in [0, limit). */
  integer(limit: number): number;
  bytes(count: number): Buffer;
  uuid(): string;
}

export const systemRandom: Random = {
  float: () => Math.random(),
  integer: (limit) => randomInt(limit),
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
};

/** Letters of upstream's generated names: no vowels and no look-alikes, so no words come out. */
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The suffix of generated names; five characters for generateName, as upstream's SafeEncode. */
export function nameSuffix(random: Random, length = 5): string {
  let suffix = '';
  for (let i = 0; i < length; i++) suffix += nameAlphabet[random.integer(nameAlphabet.length)];
  return suffix;
}

/** A repeatable source for tests (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const integer = (limit: number): number => Math.floor(float() * limit);
  const bytes = (count: number): Buffer =>
    Buffer.from(Array.from({ length: count }, () => integer(256)));
  return {
    float,
    integer,
    bytes,
    uuid: () => {
      const hex = bytes(16).toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
  };
}
