import { forbiddenRequest } from '../authz/forbidden.ts';
import type { AuthorizationRequest, Authorizer } from '../authz/authorizer.ts';
import type { RequestContext } from '../request.ts';

/** Throws Forbidden unless the user may do what the request asks, or `override` in its place. */
export async function authorize(
  authorizer: Authorizer,
  context: RequestContext,
  override?: { verb?: string; subresource?: string },
): Promise<void> {
  const request = authorizationRequest(context, override);
  const { decision, reason } = await authorizer.authorize(request);
  const audit = context.trail?.audit;
  if (audit !== undefined && override === undefined) {
    audit.annotate('authorization.k8s.io/decision', decision === 'allow' ? 'allow' : 'forbid');
    audit.annotate('authorization.k8s.io/reason', reason);
  }
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
