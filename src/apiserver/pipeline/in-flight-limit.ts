import { tooManyRequests } from '../api-errors.ts';

/** Requests of each sort that may be under way. */
export interface InFlightLimits {
  readOnly: number;
  mutating: number;
}

const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** Refuses with 429 what comes while too much is under way; long-running requests do not count. */
export class InFlightLimit {
  readonly #limits: InFlightLimits;
  #reading = 0;
  #mutating = 0;

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  get current(): InFlightLimits {
    return { readOnly: this.#reading, mutating: this.#mutating };
  }

  /** Counts a request in; the result counts it out and must be called once. */
  enter(verb: string): () => void {
    if (readVerbs.has(verb)) {
      if (this.#reading >= this.#limits.readOnly) throw refusal();
      this.#reading++;
      return this.#leaveReading;
    }
    if (this.#mutating >= this.#limits.mutating) throw refusal();
    this.#mutating++;
    return this.#leaveMutating;
  }

  readonly #leaveReading = (): void => {
    this.#reading--;
  };

  readonly #leaveMutating = (): void => {
    this.#mutating--;
  };
}

function refusal(): Error {
  return tooManyRequests('Too many requests, please try again later.', 1);
}
