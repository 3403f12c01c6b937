import { CelRuntimeError } from '../errors.ts';
import type { CelValue } from './value.ts';
import { spendWork } from './work.ts';

/** Turns plain JSON of a declared type into a value; undefined where JSON is the value. */
export type Convert = (json: unknown) => CelValue;

/** How Kubernetes compares and joins a list (`x-kubernetes-list-type`). */
export interface ListSemantics {
  readonly kind: 'set' | 'map';
  /** Names of the key fields in the data. */
  readonly keys: readonly string[];
}

/** A list over an array it does not own; elements of JSON are converted as they are read. */
export class CelList {
  readonly items: readonly unknown[];
  readonly convert: Convert | undefined;
  readonly semantics: ListSemantics | undefined;

  constructor(items: readonly unknown[], convert?: Convert, semantics?: ListSemantics) {
    this.items = items;
    this.convert = convert;
    this.semantics = semantics;
  }

  get size(): number {
    return this.items.length;
  }

  at(index: number): CelValue {
    const item = this.items[index];
    return this.convert === undefined ? (item as CelValue) : this.convert(item);
  }

  /** The index must be within. */
  get(index: number): CelValue {
    if (index < 0 || index >= this.size || !Number.isInteger(index)) {
      throw new CelRuntimeError(`index out of bounds: ${index}`);
    }
    return this.at(index);
  }

  values(): CelValue[] {
    if (this.convert === undefined) return this.items as CelValue[];
    spendWork(this.size);
    return this.items.map(this.convert);
  }
}

/**
 * Two lists one after the other, without copying: joining costs nothing at run time, so it must
 * not take the time that a copy would.
 */
export class JoinedList extends CelList {
  readonly #left: CelList;
  readonly #right: CelList;
  readonly #size: number;

  constructor(left: CelList, right: CelList) {
    super([]);
    this.#left = left;
    this.#right = right;
    this.#size = left.size + right.size;
  }

  override get size(): number {
    return this.#size;
  }

  override at(index: number): CelValue {
    const split = this.#left.size;
    return index < split ? this.#left.at(index) : this.#right.at(index - split);
  }

  override values(): CelValue[] {
    spendWork(this.size);
    return [...this.#left.values(), ...this.#right.values()];
  }
}
