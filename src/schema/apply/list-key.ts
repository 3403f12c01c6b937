import { K3tsError } from '#base/errors.ts';
import { isFields } from '../patch/patch-errors.ts';
import type { ListMapShape } from './shape.ts';

/** The value of a list item's key field, its default when absent. */
function keyValue(item: unknown, name: string, defaultValue: unknown): unknown {
  const value = isFields(item) ? item[name] : undefined;
  return value === undefined || value === null ? defaultValue : value;
}

/**
 * The path element of an item in a list with keys: k:{"name":"a"}. Throws K3tsError
 * MissingListKey for an item without one of its keys.
 */
export function itemElement(item: unknown, shape: ListMapShape): string {
  let text = 'k:{';
  for (const { name, defaultValue } of shape.keys) {
    const value = keyValue(item, name, defaultValue);
    if (value === undefined) {
      throw new K3tsError(
        'MissingListKey',
        `associative list with keys has an element that omits key field ${JSON.stringify(name)} (and doesn't have default value)`,
      );
    }
    text += `${text.length > 3 ? ',' : ''}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return `${text}}`;
}

/** Whether two items have the same keys, without writing them. */
export function hasSameKeys(a: unknown, b: unknown, shape: ListMapShape): boolean {
  for (const { name, defaultValue } of shape.keys) {
    const value = keyValue(a, name, defaultValue);
    if (value === undefined || value !== keyValue(b, name, defaultValue)) return false;
  }
  return true;
}

/** The path element of an item in a list that is a set: v:"a". */
export function valueElement(item: unknown): string {
  return `v:${JSON.stringify(item)}`;
}

/** A path as upstream prints it: .spec.containers[name="a"].image */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join('');
}

function formatElement(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (element.startsWith('i:')) return `[${rest}]`;
  const keys = JSON.parse(rest) as Record<string, unknown>;
  const pairs = Object.entries(keys).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `[${pairs.join(',')}]`;
}
