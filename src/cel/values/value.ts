/**
 * Values at run time. Ints are numbers while they are safe integers and bigint beyond, so that the
 * usual arithmetic is plain; strings, bools, null and bytes are JavaScript's own.
 */
import type { CelList } from './list.ts';
import type { CelMap } from './map.ts';
import type { CelDuration, CelTimestamp } from './time.ts';

export class CelDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export class CelUint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** The value of `type(x)` and of a type's name. */
export class CelTypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class CelOptional {
  static readonly none = new CelOptional(undefined);
  /** undefined: no value. */
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** Base of values that only functions look into: quantities, IP addresses, authorizers. */
export abstract class CelAbstract {
  abstract readonly typeName: string;
  abstract equals(other: CelAbstract): boolean;
  abstract toJson(): unknown;
  /** What size-dependent costs count. */
  costSize(): number {
    return 1;
  }
}

export type CelValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | CelDouble
  | CelUint
  | CelTypeValue
  | CelOptional
  | CelAbstract
  | CelList
  | CelMap
  | CelTimestamp
  | CelDuration;
