import { isFields, setField } from '../patch/patch-errors.ts';
import { itemElement, valueElement } from './list-key.ts';
import type { Shape, StructShape } from './shape.ts';
import { deducedShape } from './shape.ts';

type Fields = Record<string, unknown>;

/** The live object with what is applied laid over it; both are shared and stay as they are. */
export function mergeApplied(live: Fields, applied: Fields, shape: StructShape): Fields {
  return mergeObject(live, applied, shape);
}

function mergeObject(live: Fields, applied: Fields, shape: Shape): Fields {
  const result = { ...live };
  for (const key of Object.keys(applied)) {
    const value = applied[key];
    if (value === undefined) continue;
    const below = shapeBelow(shape, key);
    const before = Object.hasOwn(result, key) ? result[key] : undefined;
    if (value === null && (below.kind === 'skipped' || hasParts(before, below))) continue;
    setField(result, key, mergeValue(before, value, below));
  }
  return result;
}

/** Whether a live value is merged part by part, so that an applied null takes nothing away. */
function hasParts(live: unknown, { kind }: Shape): boolean {
  if (Array.isArray(live)) return live.length > 0 && (kind === 'set' || kind === 'list-map');
  return kind !== 'leaf' && isFields(live) && Object.keys(live).length > 0;
}

function shapeBelow(shape: Shape, key: string): Shape {
  if (shape.kind === 'struct') return shape.field(key)?.shape ?? deducedShape;
  return shape.kind === 'map' ? shape.value : deducedShape;
}

function mergeValue(live: unknown, applied: unknown, shape: Shape): unknown {
  if (live === undefined || live === null || live === applied) return applied;
  if (shape.kind === 'leaf' || shape.kind === 'skipped') return applied;
  if (Array.isArray(live) && Array.isArray(applied)) {
    if (shape.kind === 'set') return mergeItems(live, applied, valueElement, (_, item) => item);
    if (shape.kind !== 'list-map') return applied;
    const { item: below } = shape;
    return mergeItems(
      live,
      applied,
      (item) => itemElement(item, shape),
      (before, item) => mergeValue(before, item, below),
    );
  }
  if (isFields(live) && isFields(applied)) return mergeObject(live, applied, shape);
  return applied;
}

/**
 * Lists with identities: items of both are merged and follow the order of what is applied; items
 * that only the live list has keep their place among their neighbours.
 */
function mergeItems(
  live: readonly unknown[],
  applied: readonly unknown[],
  elementOf: (item: unknown) => string,
  merge: (before: unknown, item: unknown) => unknown,
): unknown[] {
  const liveOrder = live.map(elementOf);
  const appliedOrder = applied.map(elementOf);
  // one that the live list has twice is not merged: what is applied takes the place of both
  const before = new Map<string, unknown>();
  for (const [index, element] of liveOrder.entries()) {
    before.set(element, before.has(element) ? undefined : live[index]);
  }
  const wanted = new Set(appliedOrder);
  const shared = appliedOrder.filter((element) => before.has(element));
  const done = new Set<string>();
  const result: unknown[] = [];
  let at = 0;
  let nextShared = 0;
  for (const [index, element] of appliedOrder.entries()) {
    for (; at < live.length; at++) {
      const candidate = liveOrder[at] ?? '';
      if (!wanted.has(candidate)) result.push(live[at]);
      else if (candidate === shared[nextShared] && !done.has(candidate)) break;
    }
    const old = before.get(element);
    result.push(old === undefined ? applied[index] : merge(old, applied[index]));
    done.add(element);
    if (element === shared[nextShared]) nextShared++;
  }
  for (; at < live.length; at++) {
    if (!wanted.has(liveOrder[at] ?? '')) result.push(live[at]);
  }
  return result;
}
