import { CelRuntimeError } from '../errors.ts';
import type { Convert } from './list.ts';
import { CelDouble, CelUint, type CelValue } from './value.ts';
import { spendWork } from './work.ts';

/** Maps and objects; keys of different numeric types are one key when they are equal. */
export abstract class CelMap {
  abstract readonly size: number;
  /** undefined: no such key. */
  abstract find(key: CelValue): CelValue | undefined;
  abstract has(key: CelValue): boolean;
  abstract keys(): CelValue[];
}

/** One text per equal key; undefined for what cannot be a key. */
export function keyText(key: CelValue): string | undefined {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'number' || typeof key === 'bigint') return `n${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (key instanceof CelUint) return `n${key.value}`;
  if (key instanceof CelDouble) {
    return Number.isInteger(key.value) ? `n${BigInt(key.value)}` : `d${key.value}`;
  }
  return undefined;
}

/** A map that an expression made. */
export class ComputedMap extends CelMap {
  readonly entries: ReadonlyMap<string, readonly [CelValue, CelValue]>;

  constructor(entries: ReadonlyMap<string, readonly [CelValue, CelValue]>) {
    super();
    this.entries = entries;
  }

  /** Of equal keys the last one stays, as in cel-go. */
  static of(pairs: Iterable<readonly [CelValue, CelValue]>): ComputedMap {
    const entries = new Map<string, readonly [CelValue, CelValue]>();
    for (const pair of pairs) {
      const text = keyText(pair[0]);
      if (text === undefined || pair[0] instanceof CelDouble) {
        throw new CelRuntimeError('unsupported key type');
      }
      entries.set(text, pair);
    }
    return new ComputedMap(entries);
  }

  get size(): number {
    return this.entries.size;
  }

  find(key: CelValue): CelValue | undefined {
    const text = keyText(key);
    return text === undefined ? undefined : this.entries.get(text)?.[1];
  }

  has(key: CelValue): boolean {
    const text = keyText(key);
    return text !== undefined && this.entries.has(text);
  }

  keys(): CelValue[] {
    spendWork(this.size);
    return Array.from(this.entries.values(), ([key]) => key);
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A map with string keys over a plain object. */
export class JsonMap extends CelMap {
  readonly data: JsonObject;
  readonly convert: Convert | undefined;
  #size = -1;

  constructor(data: JsonObject, convert: Convert | undefined) {
    super();
    this.data = data;
    this.convert = convert;
  }

  get size(): number {
    if (this.#size < 0) this.#size = Object.keys(this.data).length;
    return this.#size;
  }

  find(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.data, key)) return undefined;
    const value = this.data[key];
    if (value === undefined) return undefined;
    return this.convert === undefined ? (value as CelValue) : this.convert(value);
  }

  has(key: CelValue): boolean {
    return typeof key === 'string' && Object.hasOwn(this.data, key);
  }

  keys(): CelValue[] {
    spendWork(this.size);
    return Object.keys(this.data);
  }
}

export interface FieldShape {
  /** Name in the data. */
  readonly property: string;
  readonly convert: Convert | undefined;
}

/** The fields of an object type by their identifiers. */
export interface ObjectShape {
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldShape>;
}

/** A plain object with declared fields. */
export class ObjectValue extends CelMap {
  readonly data: JsonObject;
  readonly shape: ObjectShape;

  constructor(data: JsonObject, shape: ObjectShape) {
    super();
    this.data = data;
    this.shape = shape;
  }

  get size(): number {
    return this.keys().length;
  }

  find(key: CelValue): CelValue | undefined {
    const field = typeof key === 'string' ? this.shape.fields.get(key) : undefined;
    if (field === undefined) return undefined;
    const value = this.data[field.property];
    if (value === undefined) return undefined;
    return field.convert === undefined ? (value as CelValue) : field.convert(value);
  }

  has(key: CelValue): boolean {
    const field = typeof key === 'string' ? this.shape.fields.get(key) : undefined;
    return field !== undefined && this.data[field.property] !== undefined;
  }

  keys(): CelValue[] {
    spendWork(this.shape.fields.size);
    return [...this.shape.fields.keys()].filter((name) => this.has(name));
  }
}
