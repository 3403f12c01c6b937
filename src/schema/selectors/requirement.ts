/** As upstream writes them in texts; `==` is kept apart from `=` for printing only. */
export type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  /** Sorted and without duplicates. */
  readonly values: readonly string[];
}

/** Labels or field values; anything but a string counts as absent. */
export type StringMap = Readonly<Record<string, string>>;

export interface Selector {
  /** True when everything matches. */
  readonly isEmpty: boolean;
  /** Sorted by key. */
  readonly requirements: readonly Requirement[];
  matches(values: StringMap | undefined): boolean;
  /** The text form, which parses back to an equal selector. */
  toString(): string;
}

type Test = (values: StringMap) => boolean;

const integer = /^[+-]?[0-9]{1,19}$/;

/** An int64 as strconv reads it, or undefined. */
export function parseInteger(text: string): bigint | undefined {
  if (!integer.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function compileComparison(key: string, bound: string, isGreater: boolean): Test {
  const limit = parseInteger(bound);
  return (values) => {
    const text: unknown = values[key];
    const value = typeof text === 'string' ? parseInteger(text) : undefined;
    if (value === undefined || limit === undefined) return false;
    return isGreater ? value > limit : value < limit;
  };
}

/** The test of one requirement on labels; an absent label satisfies `!=` and `notin`. */
export function compileRequirement(requirement: Requirement): Test {
  const { key, operator, values } = requirement;
  const [only = ''] = values;
  switch (operator) {
    case '=':
    case '==':
      return (map) => map[key] === only;
    case '!=':
      return (map) => map[key] !== only;
    case 'in': {
      if (values.length === 1) return (map) => map[key] === only;
      return (map) => {
        const value = map[key];
        return value !== undefined && values.includes(value);
      };
    }
    case 'notin':
      return (map) => {
        const value = map[key];
        return value === undefined || !values.includes(value);
      };
    case 'exists':
      return (map) => typeof map[key] === 'string';
    case '!':
      return (map) => typeof map[key] !== 'string';
    case 'gt':
    case 'lt':
      return compileComparison(key, only, operator === 'gt');
  }
}

/** One test for all requirements; the usual one and two are unrolled. */
export function compileRequirements(requirements: readonly Requirement[]): Test {
  const tests = requirements.map(compileRequirement);
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (tests.length === 2) return (map) => first(map) && second(map);
  return (map) => {
    for (const test of tests) if (!test(map)) return false;
    return true;
  };
}

export const noValues: StringMap = Object.freeze({});

/** Orders as Go compares strings, by bytes. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The text of one requirement as labels.Requirement prints it. */
export function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0] ?? ''}`;
    case 'lt':
      return `${key}<${values[0] ?? ''}`;
    default:
      return `${key}${operator}${values[0] ?? ''}`;
  }
}
