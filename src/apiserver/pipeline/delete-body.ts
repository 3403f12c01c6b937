import { ApiStatusError } from '#base/api-status-error.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { badRequest } from '../api-errors.ts';
import type { RequestContext } from '../request.ts';
import { readObject } from './read-object.ts';

const wanted = {
  group: '',
  version: 'v1',
  kind: 'DeleteOptions',
  typeName: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
} as const;

/**
 * The options in the body of a delete, undefined without one. Throws BadRequest with what the
 * decoder says and nothing around it: upstream words deletes differently from other requests.
 */
export function readDeleteBody(
  context: RequestContext,
  body: Buffer,
  contentType: string | undefined,
): UnknownObject | undefined {
  if (body.length === 0) return undefined;
  try {
    return readObject(context, body, contentType, wanted, 'Ignore', false);
  } catch (error) {
    const cause = error instanceof ApiStatusError ? error.cause : undefined;
    if (cause === undefined) throw error;
    const start = hasCode(cause, 'JsonSyntax')
      ? "couldn't get version/kind; json parse error: "
      : '';
    throw badRequest(start + messageOf(cause));
  }
}
