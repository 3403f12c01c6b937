/** Something taken for a write that may still fail. */
export class Reservation {
  #undo: (() => void)[] = [];

  /** Runs `release` when the reservation is given up. */
  onGiveUp(release: () => void): void {
    this.#undo.push(release);
  }

  /** Gives everything back, the last first. Safe to call again. */
  giveUp(): void {
    for (const release of this.#undo.reverse()) release();
    this.#undo = [];
  }
}
