/** Something taken for a write that may still fail. */
export class Reservation {
  #undo: (() => Promise<void>)[] = [];

  /** Runs `release` when the reservation is given up. */
  onGiveUp(release: () => Promise<void>): void {
    this.#undo.push(release);
  }

  /** Gives everything back, the last first. Safe to call again. */
  async giveUp(): Promise<void> {
    const undo = this.#undo.reverse();
    this.#undo = [];
    for (const release of undo) await release();
  }
}
