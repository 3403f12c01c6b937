// Stand-ins for #schema/validation until it is in the tree.
import type { FieldError, ResourceInfo, UnknownObject } from '#schema/mod.ts';

export function validateCreate(_info: ResourceInfo, _object: UnknownObject): FieldError[] {
  return [];
}

export function validateUpdate(
  _info: ResourceInfo,
  _object: UnknownObject,
  _old: UnknownObject,
  _subresource: string,
): FieldError[] {
  return [];
}
