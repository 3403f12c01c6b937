/** How functions are declared and found. */
import type { CelValue } from '../values/value.ts';
import type { Type } from './type.ts';

/** At most four arguments, the target of a member call first. */
export type Implementation = (a: CelValue, b: CelValue, c: CelValue, d: CelValue) => CelValue;

export interface Overload {
  readonly id: string;
  readonly isMember: boolean;
  readonly params: readonly Type[];
  readonly result: Type;
  /** Names of the type variables in params and result. */
  readonly variables: readonly string[];
  readonly call: Implementation;
}

export type FunctionTable = ReadonlyMap<string, readonly Overload[]>;

/** One library: its overloads by function name. */
export type Library = Readonly<Record<string, readonly Overload[]>>;

function variablesOf(types: readonly Type[], found = new Set<string>()): Set<string> {
  for (const type of types) {
    if (type.kind === 'param') found.add(type.name);
    variablesOf(type.params, found);
  }
  return found;
}

/** `call` gets arguments of the declared types only; types are checked before. */
function overload(
  isMember: boolean,
  id: string,
  params: readonly Type[],
  result: Type,
  call: (...args: never[]) => CelValue,
): Overload {
  const variables = [...variablesOf([...params, result])];
  return { id, isMember, params, result, variables, call: call as Implementation };
}

export function globalOverload(
  id: string,
  params: readonly Type[],
  result: Type,
  call: (...args: never[]) => CelValue,
): Overload {
  return overload(false, id, params, result, call);
}

export function memberOverload(
  id: string,
  params: readonly Type[],
  result: Type,
  call: (...args: never[]) => CelValue,
): Overload {
  return overload(true, id, params, result, call);
}

export function joinLibraries(libraries: readonly Library[]): FunctionTable {
  const table = new Map<string, readonly Overload[]>();
  for (const library of libraries) {
    for (const [name, overloads] of Object.entries(library)) {
      table.set(name, [...(table.get(name) ?? []), ...overloads]);
    }
  }
  return table;
}
