const maxSeconds = 32;

/**
 * How long refused clients are told to wait: one second, doubled while many are refused, lowered
 * again when it gets quiet, as upstream.
 */
export class RetryAfter {
  #seconds = 1;
  #changedAt = 0;
  #refused = 0;

  /** Counts a refusal; the result is what to tell the client. */
  refuse(nowMs: number): number {
    this.#update(Math.floor(nowMs / 1000));
    this.#refused++;
    return this.#seconds;
  }

  #update(second: number): void {
    const passed = second - this.#changedAt;
    if (passed < this.#seconds) return;
    if (this.#refused >= 3 * this.#seconds) {
      this.#seconds = Math.min(this.#seconds * 2, maxSeconds);
    } else if (this.#seconds > 1) {
      const steps = Math.floor(passed / (3 * this.#seconds));
      this.#seconds = Math.max(1, this.#seconds - Math.max(steps, 1));
    }
    this.#changedAt = second;
    this.#refused = 0;
  }
}
