import type { Change } from './changes.ts';
import type { FieldSet } from './fields-v1.ts';
import { inOrder, keepText } from './fields-v1.ts';
import type { Shape, StructShape } from './shape.ts';
import { deducedShape } from './shape.ts';

/** Sketches kept for each type; the one that fitted last is tried first. */
const sketchesPerType = 4;
/** Objects of ever new forms are not worth a sketch each, and large ones none at all. */
const missesPerSketch = 8;
const longestText = 8192;

/**
 * All of a new object that its owned paths depend on: the keys of what is owned key by key, the
 * kinds of the values, and what list items are told apart by.
 */
type Sketch = ValueKind | ObjectSketch | ListSketch;

const absent = 0;
const zero = 1;
const scalar = 2;
const fields = 3;
const list = 4;
const none = 5;
type ValueKind =
  | typeof none
  | typeof absent
  | typeof zero
  | typeof scalar
  | typeof fields
  | typeof list;

interface ObjectSketch {
  readonly keys: readonly string[];
  readonly values: readonly Sketch[];
}

interface ListSketch {
  /** Of a set: its values; of a list with keys: nothing. */
  readonly scalars: readonly unknown[] | undefined;
  /** Of a list with keys: the values of the keys of each item, one after the other. */
  readonly keyValues: readonly unknown[];
  readonly keyNames: readonly string[];
  readonly items: readonly Sketch[];
}

interface Known {
  readonly ignored: FieldSet;
  readonly sketch: Sketch;
  readonly change: Change;
}

interface KnownOfType {
  known: Known[];
  misses: number;
}

const byShape = new WeakMap<StructShape, KnownOfType>();

/**
 * What the creation of `object` changed, as `make` finds it; remembered for the objects that come
 * after it and look the same, as the pods of one workload do. A set that is remembered is frozen,
 * in order, and its text is kept.
 */
export function changeOfCreation(
  object: Readonly<Record<string, unknown>>,
  shape: StructShape,
  ignored: FieldSet,
  make: () => Change | undefined,
): Change | undefined {
  let ofType = byShape.get(shape);
  if (ofType === undefined) byShape.set(shape, (ofType = { known: [], misses: 0 }));
  const { known } = ofType;
  for (let i = 0; i < known.length; i++) {
    const one = known[i]!;
    if (one.ignored !== ignored || !fits(object, one.sketch)) continue;
    if (i > 0) known.unshift(...known.splice(i, 1));
    return one.change;
  }
  const made = make();
  const isWorthIt = ofType.misses < sketchesPerType || ofType.misses % missesPerSketch === 0;
  ofType.misses++;
  if (made?.changed === undefined || made.removed !== undefined || !isWorthIt) return made;
  const changed = inOrder(made.changed);
  if (!keepText(changed, longestText)) return made;
  const change: Change = { changed, removed: undefined };
  known.unshift({ ignored, sketch: sketchOf(object, shape), change });
  if (known.length > sketchesPerType) known.pop();
  return change;
}

function kindOf(value: unknown): ValueKind {
  if (value === undefined) return absent;
  if (value === null) return none;
  if (typeof value === 'object') return Array.isArray(value) ? list : fields;
  return value === '' || value === 0 || value === false ? zero : scalar;
}

function sketchOf(value: unknown, shape: Shape): Sketch {
  const kind = kindOf(value);
  if (shape.kind === 'leaf' || shape.kind === 'skipped') return kind;
  if (kind === fields) return sketchOfObject(value as Record<string, unknown>, shape);
  if (!Array.isArray(value)) return kind;
  if (shape.kind === 'set') return { scalars: [...value], keyValues: [], keyNames: [], items: [] };
  if (shape.kind !== 'list-map') return kind;
  const keyNames = shape.keys.map(({ name }) => name);
  const keyValues = value.flatMap((item) => keyNames.map((name) => fieldOf(item, name)));
  const items = value.map((item) => sketchOf(item, shape.item));
  return { scalars: undefined, keyValues, keyNames, items };
}

function sketchOfObject(value: Readonly<Record<string, unknown>>, shape: Shape): ObjectSketch {
  const keys: string[] = [];
  const values: Sketch[] = [];
  for (const key in value) {
    keys.push(key);
    values.push(sketchOf(value[key], shapeBelow(shape, key)));
  }
  return { keys, values };
}

function shapeBelow(shape: Shape, key: string): Shape {
  if (shape.kind === 'struct') return shape.field(key)?.shape ?? deducedShape;
  return shape.kind === 'map' ? shape.value : deducedShape;
}

function fieldOf(item: unknown, name: string): unknown {
  return typeof item === 'object' && item !== null ? (item as never)[name] : undefined;
}

/** Whether a value looks as the sketch says, its keys in the same order. */
function fits(value: unknown, sketch: Sketch): boolean {
  if (typeof sketch === 'number') return kindOf(value) === sketch;
  if (typeof value !== 'object' || value === null) return false;
  if ('items' in sketch) return Array.isArray(value) && listFits(value, sketch);
  if (Array.isArray(value)) return false;
  const { keys, values } = sketch;
  let at = 0;
  for (const key in value) {
    if (key !== keys[at]) return false;
    if (!fits((value as Record<string, unknown>)[key], values[at]!)) return false;
    at++;
  }
  return at === keys.length;
}

function listFits(value: readonly unknown[], sketch: ListSketch): boolean {
  const { scalars, keyNames, keyValues, items } = sketch;
  if (scalars !== undefined) {
    return value.length === scalars.length && value.every((item, i) => item === scalars[i]);
  }
  if (value.length !== items.length) return false;
  let at = 0;
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    for (const name of keyNames) if (fieldOf(item, name) !== keyValues[at++]) return false;
    if (!fits(item, items[i]!)) return false;
  }
  return true;
}
