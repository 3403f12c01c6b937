/** What a loop goes over: elements of a list, or keys of a map with their values. */
import { CelRuntimeError } from '../errors.ts';
import { CelList } from '../values/list.ts';
import { CelMap } from '../values/map.ts';
import { typeNameOf } from '../values/type-name.ts';
import type { CelValue } from '../values/value.ts';

export interface Range {
  readonly size: number;
  /** The loop's only variable. */
  single(at: number): CelValue;
  /** The first and second of two variables. */
  first(at: number): CelValue;
  second(at: number): CelValue;
}

class ListRange implements Range {
  readonly #list: CelList;

  constructor(list: CelList) {
    this.#list = list;
  }

  get size(): number {
    return this.#list.size;
  }

  single(at: number): CelValue {
    return this.#list.at(at);
  }

  first(at: number): CelValue {
    return at;
  }

  second(at: number): CelValue {
    return this.#list.at(at);
  }
}

class MapRange implements Range {
  readonly #map: CelMap;
  readonly #keys: readonly CelValue[];

  constructor(map: CelMap) {
    this.#map = map;
    this.#keys = map.keys();
  }

  get size(): number {
    return this.#keys.length;
  }

  single(at: number): CelValue {
    return this.#keys[at] as CelValue;
  }

  first(at: number): CelValue {
    return this.#keys[at] as CelValue;
  }

  second(at: number): CelValue {
    return this.#map.find(this.#keys[at] as CelValue) as CelValue;
  }
}

export function rangeOf(value: CelValue): Range {
  if (value instanceof CelList) return new ListRange(value);
  if (value instanceof CelMap) return new MapRange(value);
  throw new CelRuntimeError(`got '${typeNameOf(value)}', expected iterable type`);
}
