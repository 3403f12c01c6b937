import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';

/** Lets a limited number of requests work at a time: flow control, or plain in-flight limits. */
export interface RequestLimiter {
  /**
   * Lets the request in at once, after a wait, or not at all: then it throws or rejects with 429.
   * Long-running requests other than watches are not asked for.
   */
  enter(
    context: RequestContext,
    served: ServedResource | undefined,
    timeoutMs: number,
  ): LimiterTicket | Promise<LimiterTicket>;
}

/** The place of a request that was let in; `release` may be called more than once. */
export interface LimiterTicket {
  release(): void;
}
