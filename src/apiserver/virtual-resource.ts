import type { UnknownObject } from '#schema/mod.ts';
import type { ResourceRequestContext } from './request.ts';

/** Answers a create of something that is never stored: a review, a token, a binding. */
export type VirtualCreate = (
  object: UnknownObject,
  context: ResourceRequestContext,
) => Promise<UnknownObject>;

/**
 * Creates that bypass storage, by `resource[.group]` or `resource[.group]/subresource`:
 * `tokenreviews.authentication.k8s.io`, `serviceaccounts/token`.
 */
export type VirtualResources = ReadonlyMap<string, VirtualCreate>;
