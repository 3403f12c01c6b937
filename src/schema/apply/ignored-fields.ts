import type { ResourceInfo } from '../resource-info.ts';
import { onlyFieldsOf, resetFieldsOf } from '../strategy/kind-rules.ts';
import type { Change } from './changes.ts';
import type { FieldSet } from './fields-v1.ts';
import { leaf, onlyMatching, union } from './fields-v1.ts';

/** What a write through a subresource has no effect on, which nobody gets to own by it. */
interface Effects {
  readonly ignored: FieldSet;
  /** A pattern of what alone has an effect. */
  readonly only: FieldSet | undefined;
}

const known = new WeakMap<ResourceInfo, Map<string, Effects>>();

function effectsOf(info: ResourceInfo, subresource: string): Effects {
  let bySubresource = known.get(info);
  if (bySubresource === undefined) {
    bySubresource = new Map();
    known.set(info, bySubresource);
  }
  let effects = bySubresource.get(subresource);
  if (effects === undefined) {
    const only = onlyFieldsOf(info, subresource);
    effects = {
      ignored: setOf(resetFieldsOf(info, subresource)),
      only: only === undefined ? undefined : setOf(only),
    };
    bySubresource.set(subresource, effects);
  }
  return effects;
}

/** Paths without effect, with what is below them. */
export function ignoredFields(info: ResourceInfo, subresource: string): FieldSet {
  return effectsOf(info, subresource).ignored;
}

/** What of a set has an effect, where only some paths do. */
export function effectiveFields(
  fields: FieldSet,
  info: ResourceInfo,
  subresource: string,
): FieldSet {
  const { only } = effectsOf(info, subresource);
  return only === undefined ? fields : (onlyMatching(fields, only) ?? leaf);
}

/** The same of a change; undefined when nothing has. */
export function effectiveChange(
  change: Change | undefined,
  info: ResourceInfo,
  subresource: string,
): Change | undefined {
  const { only } = effectsOf(info, subresource);
  if (only === undefined || change === undefined) return change;
  const changed = change.changed && onlyMatching(change.changed, only);
  const removed = change.removed && onlyMatching(change.removed, only);
  return changed === undefined && removed === undefined ? undefined : { changed, removed };
}

function setOf(paths: readonly string[]): FieldSet {
  return paths.map(pathSet).reduce(union, leaf);
}

function pathSet(path: string): FieldSet {
  let set = leaf;
  for (const name of path.split('.').toReversed()) set = { [`f:${name}`]: set };
  return set;
}
