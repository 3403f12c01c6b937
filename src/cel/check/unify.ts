/** Assignability with type variables, after cel-go's checker/types.go. */
import { dynType, isDyn, isDynOrError, sameType, type Type, type TypeKind } from './type.ts';

/** What type variables stand for, by name. */
export type Substitutions = Map<string, Type>;

const nullableKinds: ReadonlySet<TypeKind> = new Set([
  'struct',
  'opaque',
  'null',
  'timestamp',
  'duration',
]);

function isEqualOrLessSpecific(a: Type, b: Type): boolean {
  if (isDyn(a) || a.kind === 'param') return true;
  if (isDyn(b) || b.kind === 'param') return false;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'type') return true;
  if (a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((param, index) => isEqualOrLessSpecific(param, b.params[index] as Type));
}

/** The more general of two types that are known to unify. */
export function mostGeneral(a: Type, b: Type): Type {
  return isEqualOrLessSpecific(a, b) ? a : b;
}

function occursIn(of: Substitutions, variable: Type, within: Type): boolean {
  if (within.kind === 'param') {
    if (within.name === variable.name) return true;
    const bound = of.get(within.name);
    return bound !== undefined && occursIn(of, variable, bound);
  }
  return within.params.some((param) => occursIn(of, variable, param));
}

interface Bound {
  readonly isValid: boolean;
  readonly wasBound: boolean;
}

function bind(of: Substitutions, type: Type, variable: Type): Bound {
  const bound = of.get(variable.name);
  if (bound !== undefined) {
    if (sameType(type, bound)) return { isValid: true, wasBound: true };
    if (!assign(of, type, bound)) return { isValid: false, wasBound: true };
    of.set(variable.name, mostGeneral(type, bound));
    return { isValid: true, wasBound: true };
  }
  if (type.kind === 'param' && type.name === variable.name) {
    return { isValid: true, wasBound: false };
  }
  if (occursIn(of, variable, type)) return { isValid: false, wasBound: false };
  of.set(variable.name, type);
  return { isValid: true, wasBound: false };
}

/** Whether `a` fits where `b` is wanted; binds variables of both as needed. */
function assign(of: Substitutions, a: Type, b: Type): boolean {
  if (b.kind === 'param') {
    const { isValid, wasBound } = bind(of, a, b);
    if (isValid) return true;
    if (wasBound) return false;
  }
  if (a.kind === 'param') return bind(of, b, a).isValid;
  if (isDynOrError(a) || isDynOrError(b)) return true;
  if (a.kind === 'null') return nullableKinds.has(b.kind);
  if (a.kind !== b.kind) return false;
  if (a.kind === 'type') return true;
  if (a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((param, index) => assign(of, param, b.params[index] as Type));
}

/** The substitutions with what the assignment of all pairs adds, or undefined. */
export function assignAll(
  of: Substitutions,
  from: readonly Type[],
  to: readonly Type[],
): Substitutions | undefined {
  if (from.length !== to.length) return undefined;
  const copy = new Map(of);
  const fits = from.every((type, index) => assign(copy, type, to[index] as Type));
  return fits ? copy : undefined;
}

/** Replaces bound variables; unbound ones become dyn if asked. */
export function substitute(of: Substitutions, type: Type, unboundIsDyn: boolean): Type {
  if (type.kind === 'param') {
    const bound = of.get(type.name);
    if (bound !== undefined) return substitute(of, bound, unboundIsDyn);
    return unboundIsDyn ? dynType : type;
  }
  if (type.params.length === 0) return type;
  const params = type.params.map((param) => substitute(of, param, unboundIsDyn));
  const isSame = params.every((param, index) => param === type.params[index]);
  return isSame ? type : { kind: type.kind, name: type.name, params };
}
