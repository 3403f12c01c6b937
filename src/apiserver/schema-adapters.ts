// Stand-ins for #schema/validation and #schema/apply until they are in the tree.
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

interface TrackOptions {
  old: UnknownObject | undefined;
  object: UnknownObject;
  manager: string;
  operation: 'Update';
  info: ResourceInfo;
  subresource: string;
  nowMs: number;
}

export function trackUpdate(options: TrackOptions): UnknownObject {
  return options.object;
}

export function serverSideApply(
  options: { live: UnknownObject | undefined; applied: UnknownObject } & Record<string, unknown>,
): UnknownObject {
  return { ...options.live, ...options.applied };
}
