import type { Clock } from '#base/clock.ts';
import type { KubeObject } from '#schema/mod.ts';
import { ApiStatusError } from '#base/api-status-error.ts';
import { isResource } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

const limitTypes = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const;

export type EventLimitType = (typeof limitTypes)[number];

/** One limit of eventratelimit.admission.k8s.io Configuration. */
export interface EventLimit {
  readonly type: EventLimitType;
  readonly qps: number;
  readonly burst: number;
  /** Buckets that are kept; the least recently used one is forgotten. */
  readonly cacheSize: number;
}

export function isEventLimitType(type: unknown): type is EventLimitType {
  return (limitTypes as readonly unknown[]).includes(type);
}

/** Refuses events beyond the rates of the configuration; every limit must have room. */
export function createEventRateLimit(options: {
  clock: Clock;
  limits: readonly EventLimit[];
}): AdmissionPlugin {
  const enforcers = options.limits.map((limit) => new LimitEnforcer(limit, options.clock));
  return {
    name: 'EventRateLimit',
    handles: (attributes) =>
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      (isResource(attributes, '', 'events') || isResource(attributes, 'events.k8s.io', 'events')),
    validate(attributes) {
      if (attributes.dryRun) return;
      let refusal: string | undefined;
      for (const enforcer of enforcers) refusal ??= enforcer.refusal(attributes);
      if (refusal === undefined) return;
      throw new ApiStatusError({
        httpCode: 429,
        reason: 'TooManyRequests',
        message: `Too many requests: ${refusal}`,
      });
    },
  };
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets of one limit, one for each key. */
class LimitEnforcer {
  readonly #limit: EventLimit;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: EventLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Takes a token; the text of the refusal when there is none. */
  refusal(attributes: AdmissionAttributes): string | undefined {
    const { type, qps, burst, cacheSize } = this.#limit;
    const key = keyOf(type, attributes);
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * qps);
    bucket.atMs = nowMs;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > cacheSize) {
      this.#buckets.delete(this.#buckets.keys().next().value as string);
    }
    if (bucket.tokens < 1) return `limit reached on type ${type} for key ${key}`;
    bucket.tokens--;
    return undefined;
  }
}

interface EventFields extends KubeObject {
  source?: { component?: string; host?: string };
  involvedObject?: EventTarget;
  regarding?: EventTarget;
}

interface EventTarget {
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiVersion?: string;
}

function keyOf(type: EventLimitType, attributes: AdmissionAttributes): string {
  switch (type) {
    case 'Server':
      return '';
    case 'Namespace':
      return attributes.namespace;
    case 'User':
      return attributes.context.user.name;
    case 'SourceAndObject': {
      const { source, involvedObject, regarding } = attributes.object as unknown as EventFields;
      const { kind, namespace, name, uid, apiVersion } = involvedObject ?? regarding ?? {};
      return [source?.component, source?.host, kind, namespace, name, uid, apiVersion].join('');
    }
  }
}
