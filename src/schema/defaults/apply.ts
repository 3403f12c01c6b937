import { formatQuantity, parseQuantity, roundUpQuantity } from '#base/quantity.ts';
import type { Json } from './json.ts';
import type { FieldPlan, TypePlan } from './plan.ts';
import { planOf } from './plan.ts';

/**
 * Brings a fresh, conformed object into the form that upstream stores: values that Go would not
 * write are dropped, structs that it always writes are there, and defaults are filled in, those of
 * a type before those of the types inside. Works in place; types without a table are left alone.
 */
export function applyDefaults(object: object, typeName: string): void {
  const plan = planOf(typeName);
  if (plan !== undefined) visit(object as Json, plan);
}

function visit(value: Json, plan: TypePlan): void {
  for (const key in value) {
    const field = plan.fields.get(key);
    if (field !== undefined && field.whenEmpty !== 'keep') dropEmpty(value, key, field);
  }
  for (const name of plan.alwaysStructs) if (value[name] === undefined) value[name] = {};
  for (const [name, zero] of plan.alwaysScalars) if (value[name] === undefined) value[name] = zero;
  for (const [name, constant] of plan.constants) {
    if (value[name] === undefined) value[name] = copyOf(constant);
  }
  for (const path of plan.paths) applyPath(value, path);
  plan.hook?.(value);
  for (const key in value) {
    const field = plan.fields.get(key);
    if (field?.shape !== undefined) visitField(value[key], field);
  }
}

function dropEmpty(value: Json, key: string, field: FieldPlan): void {
  const inside = value[key];
  if (field.whenEmpty === 'drop-scalar') {
    if (inside === '' || inside === 0 || inside === false) delete value[key];
    return;
  }
  if (Array.isArray(inside)) {
    if (inside.length === 0) delete value[key];
    return;
  }
  for (const _ in inside as Json) return;
  delete value[key];
}

function applyPath(value: Json, path: TypePlan['paths'][number]): void {
  let at = value;
  for (const [name, mayCreate] of path.steps) {
    let next = at[name];
    if (next === undefined) {
      if (!mayCreate) return;
      next = {};
      at[name] = next;
    }
    at = next as Json;
  }
  const before = at[path.field];
  // numbers and flags behind paths are pointers in Go, so a given zero stays; texts are values
  if (before === undefined || before === '') at[path.field] = copyOf(path.value);
}

function visitField(value: unknown, field: FieldPlan): void {
  if (typeof value !== 'object' || value === null) return;
  if (field.shape === 'resources') {
    roundResources(value as Record<string, string>);
    return;
  }
  field.plan ??= planOf(field.child);
  const { plan } = field;
  if (plan === undefined) return;
  if (field.shape === 'struct') visit(value as Json, plan);
  else if (Array.isArray(value)) for (const item of value) visit(item as Json, plan);
  else for (const key in value) visit((value as Record<string, Json>)[key] ?? {}, plan);
}

/** Resource amounts are kept to thousandths; smaller parts are rounded up. */
function roundResources(resources: Record<string, string>): void {
  for (const name in resources) {
    const text = resources[name] ?? '';
    if (!/[nu]$|e-/.test(text)) continue;
    resources[name] = formatQuantity(roundUpQuantity(parseQuantity(text), -3));
  }
}

function copyOf(constant: unknown): unknown {
  return typeof constant === 'object' && constant !== null
    ? (JSON.parse(JSON.stringify(constant)) as unknown)
    : constant;
}
