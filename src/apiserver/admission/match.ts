import type { ApiStatusError } from '#base/api-status-error.ts';
import type { Pod } from '#schema/types.ts';

import { forbidden } from '../api-errors.ts';
import type { AdmissionAttributes, AdmissionOperation } from './plugin.ts';

/** Whether the write is about this resource; `group` is empty for the core group. */
export function isResource(
  attributes: AdmissionAttributes,
  group: string,
  resource: string,
  subresource = '',
): boolean {
  const asked = attributes.context.resource;
  return (
    asked.resource === resource && asked.group === group && attributes.subresource === subresource
  );
}

/** Whether a pod itself, not one of its subresources, is written by one of `operations`. */
export function isPod(
  attributes: AdmissionAttributes,
  ...operations: AdmissionOperation[]
): boolean {
  return isResource(attributes, '', 'pods') && operations.includes(attributes.operation);
}

/** The pod being written. Its own: plugins may change it in place. */
export function podOf(attributes: AdmissionAttributes): Pod & { spec: NonNullable<Pod['spec']> } {
  const pod = attributes.object as unknown as Pod;
  pod.spec ??= { containers: [] };
  return pod as Pod & { spec: NonNullable<Pod['spec']> };
}

export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

/** 403 `<resource> "<name>" is forbidden: <text>` for the object being written. */
export function refuse(attributes: AdmissionAttributes, text: string): ApiStatusError {
  const { metadata } = attributes.object ?? attributes.oldObject ?? { metadata: undefined };
  const own = metadata?.name === '' ? metadata.generateName : metadata?.name;
  const name = attributes.name === '' ? (own ?? '') : attributes.name;
  return forbidden(attributes.context.resource, name, text);
}
