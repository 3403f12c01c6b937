import type { Random } from '#base/random.ts';

/**
 * Which of `size` numbers (from 0) are taken. The first `staticSize` are kept for callers that name
 * a number as long as others are free, as upstream does with its bands.
 */
export class NumberPool {
  readonly size: number;
  readonly #staticSize: number;
  readonly #random: Random;
  readonly #taken = new Set<number>();
  #takenStatic = 0;

  constructor(options: { size: number; staticSize: number; random: Random }) {
    this.size = options.size;
    this.#staticSize = options.staticSize;
    this.#random = options.random;
  }

  get takenCount(): number {
    return this.#taken.size;
  }

  taken(): number[] {
    return [...this.#taken];
  }

  has(number: number): boolean {
    return this.#taken.has(number);
  }

  /** False when the number is taken already. */
  take(number: number): boolean {
    if (this.#taken.has(number)) return false;
    this.#taken.add(number);
    if (number < this.#staticSize) this.#takenStatic++;
    return true;
  }

  release(number: number): void {
    if (this.#taken.delete(number) && number < this.#staticSize) this.#takenStatic--;
  }

  /** Takes a free number by chance, from the upper band first; undefined when all are taken. */
  takeAny(): number | undefined {
    const takenDynamic = this.#taken.size - this.#takenStatic;
    if (takenDynamic < this.size - this.#staticSize) {
      return this.#takeFrom(this.#staticSize, this.size);
    }
    if (this.#takenStatic < this.#staticSize) return this.#takeFrom(0, this.#staticSize);
    return undefined;
  }

  /** There is a free number in [from, to): starts anywhere and goes round. */
  #takeFrom(from: number, to: number): number | undefined {
    const width = to - from;
    const start = this.#random.integer(width);
    for (let step = 0; step < width; step++) {
      const number = from + ((start + step) % width);
      if (this.take(number)) return number;
    }
    return undefined;
  }
}
