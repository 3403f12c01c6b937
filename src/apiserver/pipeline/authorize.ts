import { ApiStatusError } from '#base/api-status-error.ts';
import { forbiddenRequest } from '../authz/forbidden.ts';
import type { AuthorizationRequest, Authorizer } from '../authz/authorizer.ts';
import type { RequestContext } from '../request.ts';

/** An authorizer could not decide and no other allowed the request. Over HTTP it is plain text. */
export class AuthorizationFailure extends ApiStatusError {
  constructor(why: string) {
    super({ httpCode: 500, reason: 'InternalError', message: why });
  }

  /** What is answered to a request for `uri`. */
  textFor(uri: string): string {
    const text = `Internal Server Error: ${JSON.stringify(uri)}: ${this.message}`;
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  }
}

/**
 * Throws Forbidden unless the user may do what the request asks, or `override` in its place;
 * AuthorizationFailure when that cannot be said.
 */
export async function authorize(
  authorizer: Authorizer,
  context: RequestContext,
  override?: { verb?: string; subresource?: string },
): Promise<void> {
  const request = authorizationRequest(context, override);
  const { decision, reason, error } = await authorizer.authorize(request);
  const hasFailed = error !== undefined && decision !== 'allow';
  const audit = context.trail?.audit;
  if (audit !== undefined && override === undefined && hasFailed) {
    audit.annotate('authorization.k8s.io/reason', 'internal error');
  } else if (audit !== undefined && override === undefined) {
    audit.annotate('authorization.k8s.io/decision', decision === 'allow' ? 'allow' : 'forbid');
    audit.annotate('authorization.k8s.io/reason', reason);
  }
  if (hasFailed) throw new AuthorizationFailure(error);
  if (decision !== 'allow') throw forbiddenRequest(request, reason);
}

/** What authorizers are asked about a request. */
export function authorizationRequest(
  context: RequestContext,
  override?: { verb?: string; subresource?: string },
): AuthorizationRequest {
  const { info, user } = context;
  const verb = override?.verb ?? info.verb;
  if (!info.isResourceRequest) return { user, path: info.path, verb };
  const isSelecting = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  const query = isSelecting && context.query.size > 0 ? context.query : undefined;
  return {
    user,
    path: info.path,
    verb,
    resource: {
      verb,
      group: info.group,
      version: info.version,
      resource: info.resource,
      subresource: override?.subresource ?? info.subresource,
      namespace: info.namespace,
      name: info.name,
      fieldSelector: query?.get('fieldSelector') ?? undefined,
      labelSelector: query?.get('labelSelector') ?? undefined,
    },
  };
}
