import table from '../generated/defaults.json' with { type: 'json' };
import type { FieldInfo, TypeInfo } from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import { defaultHooks } from './hooks.ts';
import type { Json } from './json.ts';

/** How an empty value of a field is written: Go leaves it out, unless it is held by pointer. */
type EmptyRule = 'keep' | 'drop-scalar' | 'drop-container';

export interface FieldPlan {
  readonly whenEmpty: EmptyRule;
  readonly shape: 'struct' | 'list' | 'map' | 'resources' | undefined;
  /** Name of the struct, or of the items' or values' struct. */
  readonly child: string;
  /** Filled on first use: types refer to themselves. */
  plan: TypePlan | undefined;
}

/** What to do with the values of one type, compiled from the tables once. */
export interface TypePlan {
  readonly fields: ReadonlyMap<string, FieldPlan>;
  /** Structs held by value: written as {} even when nobody gave them. */
  readonly alwaysStructs: readonly string[];
  /** Required scalars held by value. */
  readonly alwaysScalars: ReadonlyArray<readonly [field: string, zero: unknown]>;
  readonly constants: ReadonlyArray<readonly [field: string, value: unknown]>;
  readonly paths: readonly PathDefault[];
  readonly hook: ((value: Json) => void) | undefined;
}

interface PathDefault {
  /** Steps to the struct that holds the field; a step may be created when Go has it by value. */
  readonly steps: ReadonlyArray<readonly [field: string, mayCreate: boolean]>;
  readonly field: string;
  readonly value: unknown;
}

const plans = new Map<string, TypePlan>();

export function planOf(typeName: string): TypePlan | undefined {
  const known = plans.get(typeName);
  if (known !== undefined) return known;
  const type = typeTable.type(typeName);
  if (type === undefined) return undefined;
  const plan = compile(type);
  plans.set(typeName, plan);
  return plan;
}

function compile(type: TypeInfo): TypePlan {
  const fields = new Map<string, FieldPlan>();
  const alwaysStructs: string[] = [];
  const alwaysScalars: Array<readonly [string, unknown]> = [];
  for (const field of type.fields.values()) {
    const plan = planField(field, type);
    if (plan !== undefined) fields.set(field.name, plan);
    if (field.isPointer) continue;
    if (field.kind === 'struct') alwaysStructs.push(field.name);
    const zero = alwaysWritten(field);
    if (zero !== undefined) alwaysScalars.push([field.name, zero]);
  }
  const constants: Array<readonly [string, unknown]> = [];
  const paths: PathDefault[] = [];
  const hooks = defaultHooks[shortName(type.name)];
  for (const [path, value] of Object.entries(constantsOf(type.name))) {
    if (hooks?.replaces?.includes(path) === true) continue;
    if (path.includes('.')) paths.push(planPath(type, path, value));
    else if (!isDropped(type.fields.get(path), value)) constants.push([path, value]);
  }
  return { fields, alwaysStructs, alwaysScalars, constants, paths, hook: hooks?.apply };
}

function constantsOf(typeName: string): Record<string, unknown> {
  const constants: Record<string, Record<string, unknown>> = table.constants;
  return constants[typeName] ?? {};
}

/** core.v1.Pod of io.k8s.api.core.v1.Pod */
function shortName(typeName: string): string {
  return typeName.split('.').slice(-3).join('.');
}

function planField(field: FieldInfo, type: TypeInfo): FieldPlan | undefined {
  const whenEmpty = emptyRule(field);
  const isResources =
    field.kind === 'map' &&
    field.element?.scalar === 'quantity' &&
    !type.name.includes('.metrics.');
  const shape = isResources ? 'resources' : nestedShape(field);
  if (shape === undefined && whenEmpty === 'keep') return undefined;
  return {
    whenEmpty,
    shape,
    child: field.typeName ?? field.element?.typeName ?? '',
    plan: undefined,
  };
}

function nestedShape(field: FieldInfo): 'struct' | 'list' | 'map' | undefined {
  if (field.kind === 'struct') return 'struct';
  if (field.element?.kind !== 'struct') return undefined;
  return field.kind === 'list' || field.kind === 'map' ? field.kind : undefined;
}

function emptyRule(field: FieldInfo): EmptyRule {
  if (field.required) return 'keep';
  if (field.kind === 'list' || field.kind === 'map') return 'drop-container';
  const isPlain = /^(string|int32|int64|double|bool|byte)$/.test(field.scalar ?? '');
  return isPlain && !field.isPointer ? 'drop-scalar' : 'keep';
}

/** The zero of a scalar that Go writes even when it was not given. */
function alwaysWritten(field: FieldInfo): unknown {
  if (field.scalar === 'quantity') return '0';
  if (!field.required) return undefined;
  if (field.scalar === 'string') return '';
  if (field.scalar === 'bool') return false;
  return /^(int32|int64|double)$/.test(field.scalar ?? '') ? 0 : undefined;
}

/** A default that is the zero value would not be written. */
function isDropped(field: FieldInfo | undefined, value: unknown): boolean {
  if (field === undefined || emptyRule(field) !== 'drop-scalar') return false;
  return value === '' || value === 0 || value === false;
}

function planPath(type: TypeInfo, path: string, value: unknown): PathDefault {
  const names = path.split('.');
  const field = names.pop() ?? '';
  const steps: Array<readonly [string, boolean]> = [];
  let at: TypeInfo | undefined = type;
  for (const name of names) {
    const step: FieldInfo | undefined = at?.fields.get(name);
    steps.push([name, step?.isPointer === false]);
    at = typeTable.type(step?.typeName ?? '');
  }
  return { steps, field, value };
}
