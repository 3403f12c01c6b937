import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type {
  LocalSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  TokenReview,
} from '#schema/types.ts';

import { badRequest } from '../api-errors.ts';
import { inAuthenticated } from '../authn/union.ts';
import type { TokenAuthenticator } from '../authn/token-authenticator.ts';
import type { RequestContext, UserInfo } from '../request.ts';
import type { VirtualCreate } from '../virtual-resource.ts';
import type { AuthorizationRequest } from './authorizer.ts';
import { aggregate } from './rbac/rbac-authorizer.ts';
import { selectorText } from './selector-text.ts';
import type { UnionAuthorizer } from './union.ts';

export interface ReviewOptions {
  readonly authorizer: UnionAuthorizer;
  /** Every kind of token that requests may bring. */
  readonly tokens: TokenAuthenticator;
  /** --api-audiences. */
  readonly audiences: readonly string[];
}

/** The review resources of both groups, for the core to plug in as creates that store nothing. */
export function createReviewHandlers(options: ReviewOptions): Map<string, VirtualCreate> {
  const access: VirtualCreate = (object) => reviewAccess(options, object, undefined);
  return new Map<string, VirtualCreate>([
    ['subjectaccessreviews.authorization.k8s.io', access],
    ['localsubjectaccessreviews.authorization.k8s.io', access],
    [
      'selfsubjectaccessreviews.authorization.k8s.io',
      (object, context) => reviewAccess(options, object, context.user),
    ],
    [
      'selfsubjectrulesreviews.authorization.k8s.io',
      async (object, context) => reviewRules(options, context, object),
    ],
    ['tokenreviews.authentication.k8s.io', (object) => reviewToken(options, object)],
    [
      'selfsubjectreviews.authentication.k8s.io',
      async (object, { user }) => ({ ...object, status: { userInfo: userInfoOf(user) } }),
    ],
  ]);
}

async function reviewAccess(
  options: ReviewOptions,
  object: UnknownObject,
  self: UserInfo | undefined,
): Promise<UnknownObject> {
  const { spec } = object as unknown as SubjectAccessReview | LocalSubjectAccessReview;
  const user: UserInfo = self ?? {
    name: spec.user ?? '',
    uid: spec.uid,
    groups: spec.groups ?? [],
    extra: spec.extra,
  };
  const verdict = await options.authorizer.authorize(requestOf(user, spec));
  const status = {
    allowed: verdict.decision === 'allow',
    ...(verdict.decision === 'deny' ? { denied: true } : {}),
    ...(verdict.reason === '' ? {} : { reason: verdict.reason }),
    ...(verdict.error === undefined ? {} : { evaluationError: verdict.error }),
  };
  return { ...object, status };
}

/** The question that a review's spec asks. */
function requestOf(user: UserInfo, spec: SubjectAccessReview['spec']): AuthorizationRequest {
  const asked = spec.resourceAttributes;
  if (asked === undefined) {
    const { path = '', verb = '' } = spec.nonResourceAttributes ?? {};
    return { user, path, verb };
  }
  const verb = asked.verb ?? '';
  return {
    user,
    path: '',
    verb,
    resource: {
      verb,
      group: asked.group ?? '',
      version: asked.version ?? '',
      resource: asked.resource ?? '',
      subresource: asked.subresource ?? '',
      namespace: asked.namespace ?? '',
      name: asked.name ?? '',
      fieldSelector: selectorText(asked.fieldSelector),
      labelSelector: selectorText(asked.labelSelector),
    },
  };
}

function reviewRules(
  options: ReviewOptions,
  context: RequestContext,
  object: UnknownObject,
): UnknownObject {
  const namespace = (object as Partial<SelfSubjectRulesReview>).spec?.namespace ?? '';
  if (namespace === '') {
    throw badRequest('no namespace on request');
  }
  const found = options.authorizer.rulesFor(context.user, namespace);
  const resourceRules = [];
  const nonResourceRules = [];
  for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of found.rules) {
    if ((resources ?? []).length > 0) {
      resourceRules.push({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames === undefined ? {} : { resourceNames }),
      });
    }
    if ((nonResourceURLs ?? []).length > 0) nonResourceRules.push({ verbs, nonResourceURLs });
  }
  const status = {
    resourceRules,
    nonResourceRules,
    incomplete: found.incomplete || found.errors.length > 0,
    ...(found.errors.length === 0 ? {} : { evaluationError: aggregate(found.errors) }),
  };
  return { ...object, status };
}

async function reviewToken(options: ReviewOptions, object: UnknownObject): Promise<UnknownObject> {
  const { spec } = object as unknown as TokenReview;
  const token = spec?.token ?? '';
  if (token === '') {
    throw badRequest('token is required for TokenReview in authentication');
  }
  const audiences = (spec?.audiences ?? []).length === 0 ? options.audiences : spec?.audiences;
  // what nobody knows is a wrong token here as in a request
  let status: object = { user: {}, error: 'invalid bearer token' };
  try {
    const found = await options.tokens.authenticateToken(token, audiences ?? []);
    if (found !== undefined) {
      const isAsked = (spec?.audiences ?? []).length > 0;
      status = {
        authenticated: true,
        user: userInfoOf(inAuthenticated(found.user)),
        ...(isAsked || found.audiences !== undefined
          ? { audiences: found.audiences ?? audiences }
          : {}),
      };
    }
  } catch (error) {
    if (!hasReason(error, 'Unauthorized')) throw error;
    const why = error instanceof Error ? messageOf(error.cause ?? error) : '';
    status = { user: {}, error: why };
  }
  return { ...object, status };
}

function userInfoOf(user: UserInfo): object {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}
