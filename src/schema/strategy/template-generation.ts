import type { UnknownObject } from '../object.ts';
import { jsonEqual } from '../patch/json-equal.ts';
import { valueAt } from './paths.ts';

const annotation = 'deprecated.daemonset.template.generation';

function read(object: UnknownObject): number {
  const value = Number(object.metadata.annotations?.[annotation] ?? '0');
  return Number.isInteger(value) && value > 0 ? value : 0;
}

/**
 * Keeps a daemon set's template generation, which lives in an annotation: at least 1, and one more
 * with every change of the template. Clients cannot set it on an update.
 */
export function setTemplateGeneration(object: UnknownObject, old: UnknownObject | undefined): void {
  let value = Math.max(read(object), 1);
  if (old !== undefined) {
    const isSame = jsonEqual(valueAt(object, 'spec.template'), valueAt(old, 'spec.template'));
    value = read(old) + (isSame ? 0 : 1);
  }
  object.metadata.annotations = { ...object.metadata.annotations, [annotation]: String(value) };
}
