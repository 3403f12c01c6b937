import type { UnknownObject } from '../object.ts';
import { jsonEqual } from '../patch/json-equal.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { hasStatus, isBuiltIn, rulesOf } from './kind-rules.ts';
import { valueAt } from './paths.ts';

/** Sets metadata.generation of a new object as its kind demands. */
export function startGeneration(info: ResourceInfo, object: UnknownObject): void {
  const { generation, firstGeneration = 1 } = isBuiltIn(info) ? rulesOf(info) : customRules;
  if (generation === undefined || firstGeneration === 0) delete object.metadata.generation;
  else object.metadata.generation = firstGeneration;
}

const customRules: { generation: readonly string[]; firstGeneration?: number } = { generation: [] };

/** Takes the stored generation over and raises it when what it counts has changed. */
export function advanceGeneration(
  info: ResourceInfo,
  object: UnknownObject,
  old: UnknownObject,
): void {
  const before = old.metadata.generation;
  if (hasAdvanced(info, object, old)) object.metadata.generation = (before ?? 0) + 1;
  else if (before === undefined) delete object.metadata.generation;
  else object.metadata.generation = before;
}

function hasAdvanced(info: ResourceInfo, object: UnknownObject, old: UnknownObject): boolean {
  if (!isBuiltIn(info)) return hasCustomChange(info, object, old);
  const paths = rulesOf(info).generation ?? [];
  return paths.some((path) => !jsonEqual(valueAt(object, path), valueAt(old, path)));
}

/** Custom resources count everything beside metadata, and beside a status that has its own path. */
function hasCustomChange(info: ResourceInfo, object: UnknownObject, old: UnknownObject): boolean {
  const ignored = new Set(['apiVersion', 'kind', 'metadata']);
  if (hasStatus(info)) ignored.add('status');
  const keys = new Set([...Object.keys(object), ...Object.keys(old)]);
  return [...keys].some((key) => !ignored.has(key) && !jsonEqual(object[key], old[key]));
}
