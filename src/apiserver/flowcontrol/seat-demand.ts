/** How slowly the smoothed demand follows a fall, per adjustment. */
const smoothing = 0.977;

/** Follows how many seats a level uses and waits for, over time. */
export class SeatDemand {
  #seats = 0;
  #sinceMs: number;
  #startMs: number;
  #sum = 0;
  #squares = 0;
  #most = 0;
  #smooth = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#startMs = nowMs;
  }

  get current(): number {
    return this.#seats;
  }

  add(seats: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#seats += seats;
    if (this.#seats > this.#most) this.#most = this.#seats;
  }

  /** Ends a period of measuring and begins the next. */
  take(nowMs: number): { highWatermark: number; smoothDemand: number } {
    this.#advance(nowMs);
    const lengthMs = Math.max(nowMs - this.#startMs, 1);
    const average = this.#sum / lengthMs;
    const deviation = Math.sqrt(Math.max(0, this.#squares / lengthMs - average * average));
    const envelope = average + deviation;
    this.#smooth = Math.max(envelope, smoothing * this.#smooth + (1 - smoothing) * envelope);
    const highWatermark = this.#most;
    this.#startMs = nowMs;
    this.#sum = 0;
    this.#squares = 0;
    this.#most = this.#seats;
    return { highWatermark, smoothDemand: this.#smooth };
  }

  #advance(nowMs: number): void {
    const passedMs = nowMs - this.#sinceMs;
    if (passedMs <= 0) return;
    this.#sinceMs = nowMs;
    this.#sum += this.#seats * passedMs;
    this.#squares += this.#seats * this.#seats * passedMs;
  }
}
