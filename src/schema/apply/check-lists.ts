import { K3tsError, hasCode, messageOf } from '#base/errors.ts';
import { isFields } from '../patch/patch-errors.ts';
import { formatPath, itemElement, valueElement } from './list-key.ts';
import type { ListMapShape, SetShape, Shape } from './shape.ts';
import { deducedShape } from './shape.ts';

/**
 * Checks that every item of a list with identities has one of its own. Throws K3tsError
 * InvalidList with the path in front, as upstream's typed values do.
 */
export function checkLists(value: unknown, shape: Shape): void {
  visit(value, shape, []);
}

function visit(value: unknown, shape: Shape, path: string[]): void {
  if (Array.isArray(value)) {
    visitList(value, shape, path);
    return;
  }
  if (!isFields(value) || shape.kind === 'leaf' || shape.kind === 'skipped') return;
  for (const key of Object.keys(value)) {
    const below =
      shape.kind === 'struct'
        ? shape.field(key)?.shape
        : shape.kind === 'map'
          ? shape.value
          : undefined;
    path.push(`f:${key}`);
    visit(value[key], below ?? deducedShape, path);
    path.pop();
  }
}

function visitList(list: readonly unknown[], shape: Shape, path: string[]): void {
  if (shape.kind !== 'set' && shape.kind !== 'list-map') return;
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const element = elementOf(item, index, shape, path);
    if (seen.has(element)) {
      fail(path, `duplicate entries for key ${formatPath([element])}`);
    }
    seen.add(element);
    if (shape.kind !== 'list-map') continue;
    path.push(element);
    visit(item, shape.item, path);
    path.pop();
  }
}

function elementOf(
  item: unknown,
  index: number,
  shape: SetShape | ListMapShape,
  path: readonly string[],
): string {
  if (shape.kind === 'set') return valueElement(item);
  try {
    return itemElement(item, shape);
  } catch (error) {
    if (!hasCode(error, 'MissingListKey')) throw error;
    return fail(path, `element ${index}: ${messageOf(error)}`);
  }
}

function fail(path: readonly string[], message: string): never {
  throw new K3tsError('InvalidList', `${formatPath(path)}: ${message}`);
}
