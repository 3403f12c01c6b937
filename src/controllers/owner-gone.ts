import { ApiStatusError } from '#base/api-status-error.ts';
import type { KubeObject } from '#schema/mod.ts';

/** Whether a write failed because the object that is reconciled is gone: nothing is left to do. */
export function isObjectGone(error: unknown, object: KubeObject): boolean {
  return (
    error instanceof ApiStatusError &&
    error.reason === 'NotFound' &&
    error.details?.name === object.metadata.name
  );
}
