import type { ResourceInfo } from '../resource-info.ts';
import { resetFieldsOf } from '../strategy/kind-rules.ts';
import type { FieldSet } from './fields-v1.ts';
import { leaf, union } from './fields-v1.ts';

const known = new WeakMap<ResourceInfo, Map<string, FieldSet>>();

/** The paths that a write through a subresource has no effect on, which nobody gets to own by it. */
export function ignoredFields(info: ResourceInfo, subresource: string): FieldSet {
  let bySubresource = known.get(info);
  if (bySubresource === undefined) {
    bySubresource = new Map();
    known.set(info, bySubresource);
  }
  let fields = bySubresource.get(subresource);
  if (fields === undefined) {
    fields = resetFieldsOf(info, subresource).map(pathSet).reduce(union, leaf);
    bySubresource.set(subresource, fields);
  }
  return fields;
}

function pathSet(path: string): FieldSet {
  let set = leaf;
  for (const name of path.split('.').toReversed()) set = { [`f:${name}`]: set };
  return set;
}
