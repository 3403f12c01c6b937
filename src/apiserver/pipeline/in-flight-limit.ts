import { TooBusyError } from '../api-errors.ts';
import type { RequestContext } from '../request.ts';
import type { LimiterTicket, RequestLimiter } from './request-limiter.ts';

/** Requests of each sort that may be under way; 0 for no limit. */
export interface InFlightLimits {
  readOnly: number;
  mutating: number;
}

const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
const exemptGroup = 'system:masters';

/**
 * Refuses with 429 what comes while too much is under way: what limits requests when priority and
 * fairness is off. Watches do not count, and admins are let in always, as upstream.
 */
export class InFlightLimit implements RequestLimiter {
  readonly #reading: Count;
  readonly #mutating: Count;

  constructor(limits: InFlightLimits) {
    this.#reading = new Count(limits.readOnly);
    this.#mutating = new Count(limits.mutating);
  }

  get current(): InFlightLimits {
    return { readOnly: this.#reading.current, mutating: this.#mutating.current };
  }

  enter({ info, user }: RequestContext): LimiterTicket {
    if (info.verb === 'watch') return freeTicket;
    const count = readVerbs.has(info.verb) ? this.#reading : this.#mutating;
    if (count.isFull && !user.groups.includes(exemptGroup)) {
      throw new TooBusyError(1);
    }
    return count.enter();
  }
}

const freeTicket: LimiterTicket = { release: () => undefined };

class Count {
  readonly #limit: number;
  current = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#limit > 0 && this.current >= this.#limit;
  }

  enter(): LimiterTicket {
    this.current++;
    let isIn = true;
    return {
      release: () => {
        if (isIn) this.current--;
        isIn = false;
      },
    };
  }
}
