import type { Clock } from '#base/clock.ts';
import { createTokenBucket } from '../rate-limiter.ts';
import type { TokenBucket } from '../rate-limiter.ts';

/** Limits of client-go's correlator. */
const cacheSize = 4096;
const spamBurst = 25;
const spamPerSecond = 1 / 300;
const maxSimilar = 10;
const similarWindowMs = 600_000;

/** What makes an event; `source` is component and host. */
export interface EventFacts {
  readonly source: string;
  /** Kind, namespace, name, uid and field path of the object. */
  readonly subject: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** An event already written, that a repeat only counts up. */
export interface EventRecord {
  readonly key: string;
  message: string;
  count: number;
  /** Name and namespace once it is stored. */
  stored: { name: string; namespace: string } | undefined;
  firstMs: number;
}

interface Similar {
  readonly messages: Set<string>;
  lastMs: number;
}

/**
 * Decides what becomes of an event: dropped (more than 25 for one object, refilled one each five
 * minutes), folded into `(combined from similar events): …` (more than 10 messages with the same
 * reason in ten minutes), counted up (same message), or new. Remembers at most 4096 of each.
 */
export function createEventCorrelator(clock: Clock): {
  correlate(facts: EventFacts): EventRecord | undefined;
} {
  const spam = new Map<string, TokenBucket>();
  const similar = new Map<string, Similar>();
  const records = new Map<string, EventRecord>();

  const isSpam = (facts: EventFacts): boolean => {
    const bucket = remember(spam, `${facts.source}\n${facts.subject}`, () =>
      createTokenBucket({ clock, perSecond: spamPerSecond, burst: spamBurst }),
    );
    return !bucket.take();
  };

  /** Key and message to record under: own ones, or the group's when there are too many. */
  const aggregate = (facts: EventFacts): { key: string; message: string } => {
    const group = [facts.source, facts.subject, facts.type, facts.reason].join('\n');
    const now = clock.now();
    const known = remember(similar, group, () => ({ messages: new Set<string>(), lastMs: now }));
    if (now - known.lastMs > similarWindowMs) known.messages.clear();
    known.lastMs = now;
    known.messages.add(facts.message);
    if (known.messages.size < maxSimilar) {
      return { key: `${group}\n${facts.message}`, message: facts.message };
    }
    // Keeps the set at its bound: which messages there were no longer matters.
    known.messages.delete(facts.message);
    if (known.messages.size < maxSimilar - 1) known.messages.add(facts.message);
    return { key: group, message: `(combined from similar events): ${facts.message}` };
  };

  return {
    correlate(facts) {
      const { key, message } = aggregate(facts);
      if (isSpam(facts)) return undefined;
      const record = remember(records, key, () => ({
        key,
        message,
        count: 0,
        stored: undefined,
        firstMs: clock.now(),
      }));
      record.count += 1;
      record.message = message;
      return record;
    },
  };
}

/** Least recently used entries leave at the bound. */
function remember<V>(cache: Map<string, V>, key: string, create: () => V): V {
  const known = cache.get(key);
  const value = known ?? create();
  if (known !== undefined) cache.delete(key);
  cache.set(key, value);
  if (cache.size > cacheSize) {
    const oldest = cache.keys().next().value;
    if (oldest !== undefined) cache.delete(oldest);
  }
  return value;
}
