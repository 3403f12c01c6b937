import { createHash } from 'node:crypto';

/** The number that spreads flows over queues: upstream's hash of schema and distinguisher. */
export function flowHash(schemaName: string, distinguisher: string): bigint {
  const digest = createHash('sha256').update(`${schemaName}\u0000${distinguisher}`).digest();
  return digest.readBigUInt64LE(0);
}

/** Deals `handSize` different numbers below `deckSize`, as evenly as the hash is random. */
export function dealHand(hash: bigint, deckSize: number, handSize: number): number[] {
  const remainders: number[] = [];
  let rest = hash;
  for (let i = 0; i < handSize; i++) {
    const left = BigInt(deckSize - i);
    remainders.push(Number(rest % left));
    rest /= left;
  }
  return remainders.map((remainder, i) => {
    let card = remainder;
    for (let j = i; j > 0; j--) if (card >= (remainders[j - 1] as number)) card++;
    return card;
  });
}
