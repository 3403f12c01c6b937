import { badRequest } from '../api-errors.ts';
import type { AuthorizationRequest, Authorizer, ResourceAttributes } from '../authz/authorizer.ts';
import { forbiddenRequest } from '../authz/forbidden.ts';
import { anonymousUser } from '../request.ts';
import type { RequestInfo, UserInfo } from '../request.ts';
import type { Credentials } from './authenticator.ts';
import { headersWithPrefix, headerValues } from './headers.ts';
import type { ImpersonationMode } from './impersonation-modes.ts';
import { constrainedModes, constrainedRefusal } from './impersonation-modes.ts';
import { parseServiceAccountUser, serviceAccountUser } from './service-account-claims.ts';
import { inAuthenticated, unauthenticatedGroup } from './union.ts';

/** Whether a request asks to act as somebody else at all; cheap. */
export function wantsImpersonation(headers: Credentials['headers']): boolean {
  for (const name in headers) {
    if (name.startsWith('impersonate-')) return true;
  }
  return false;
}

/** As upstream: the verb that is asked for and the group of users and groups. */
const legacyMode: ImpersonationMode = { verb: 'impersonate', group: '' };
const authentication = 'authentication.k8s.io';

export interface Impersonated {
  readonly user: UserInfo;
  /** The verb of the constrained mode that allowed it; absent for the verb impersonate alone. */
  readonly constraint?: string | undefined;
}

/**
 * The user that the Impersonate-* headers ask for. First the constrained modes are tried that fit
 * the wanted user: the real user may do this request in that mode (`impersonate-on:<mode>:<verb>`)
 * and impersonate each part of it (`impersonate:<mode>`). Then the verb impersonate alone counts,
 * whose refusal is the one that is shown. Throws Forbidden, BadRequest for groups without a user.
 */
export async function impersonatedUser(options: {
  headers: Credentials['headers'];
  user: UserInfo;
  authorizer: Authorizer;
  /** What is asked in the other's name; without it only the verb impersonate counts. */
  info?: RequestInfo | undefined;
}): Promise<Impersonated> {
  const { headers, user, authorizer, info } = options;
  const wanted = wantedUser(headers);
  if (wanted.name === '') {
    const parts = checksOf(wanted, legacyMode).map(({ resource, name }) => `${resource} ${name}`);
    throw badRequest(`requested [${parts.join(' ')}] without impersonating a user`);
  }
  for (const mode of info === undefined ? [] : constrainedModes(wanted, user)) {
    if (info === undefined || constrainedRefusal(wanted) !== undefined) continue;
    const onRequest = requestOn(info, user, mode);
    if ((await authorizer.authorize(onRequest)).decision !== 'allow') continue;
    const refusal = await firstRefusal(authorizer, user, checksOf(wanted, mode));
    if (refusal === undefined) return { user: completed(wanted, mode), constraint: mode.verb };
  }
  const refusal = await firstRefusal(authorizer, user, checksOf(wanted, legacyMode));
  if (refusal !== undefined) throw refusal;
  return { user: completed(wanted, legacyMode) };
}

function wantedUser(headers: Credentials['headers']): UserInfo {
  const uid = headerValues(headers['impersonate-uid'])[0] ?? '';
  const extra = headersWithPrefix(headers, 'impersonate-extra-');
  return {
    name: headerValues(headers['impersonate-user'])[0] ?? '',
    uid: uid === '' ? undefined : uid,
    groups: headerValues(headers['impersonate-group']),
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  };
}

async function firstRefusal(
  authorizer: Authorizer,
  user: UserInfo,
  checks: readonly ResourceAttributes[],
): Promise<Error | undefined> {
  for (const resource of checks) {
    const request = { user, resource, path: '', verb: resource.verb };
    const { decision, reason } = await authorizer.authorize(request);
    if (decision !== 'allow') return forbiddenRequest(request, reason);
  }
  return undefined;
}

/** May the user do this request at all while acting as others in this mode? */
function requestOn(
  info: RequestInfo,
  user: UserInfo,
  { name = '' }: ImpersonationMode,
): AuthorizationRequest {
  const verb = `impersonate-on:${name}:${info.verb}`;
  if (!info.isResourceRequest) return { user, path: info.path, verb };
  const { group, version, resource, subresource, namespace, name: object } = info;
  return {
    user,
    path: info.path,
    verb,
    resource: { verb, group, version, resource, subresource, namespace, name: object },
  };
}

/** What the real user has to be allowed for each part of the wanted one. */
function checksOf(wanted: UserInfo, mode: ImpersonationMode): ResourceAttributes[] {
  const { name, uid, groups, extra = {} } = wanted;
  const { verb, group } = mode;
  const checks: ResourceAttributes[] = [];
  const account = parseServiceAccountUser(name);
  if (account !== undefined) {
    checks.push(asked(verb, group, 'serviceaccounts', account.name, account));
  } else if (mode.node !== undefined) {
    checks.push(asked(verb, group, 'nodes', mode.node));
  } else if (name !== '') {
    checks.push(asked(verb, group, 'users', name));
  }
  for (const one of groups) checks.push(asked(verb, group, 'groups', one));
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) {
      checks.push(asked(verb, authentication, 'userextras', value, { subresource: key }));
    }
  }
  if (uid !== undefined) checks.push(asked(verb, authentication, 'uids', uid));
  return checks;
}

function asked(
  verb: string,
  group: string,
  resource: string,
  name: string,
  more: { namespace?: string; subresource?: string } = {},
): ResourceAttributes {
  return {
    verb,
    group,
    version: 'v1',
    resource,
    subresource: more.subresource ?? '',
    namespace: more.namespace ?? '',
    name,
  };
}

/** The wanted user with the groups that go with the name. */
function completed(wanted: UserInfo, mode: ImpersonationMode): UserInfo {
  const account = parseServiceAccountUser(wanted.name);
  const ownGroups =
    mode.node !== undefined
      ? ['system:nodes']
      : account !== undefined && wanted.groups.length === 0
        ? serviceAccountUser(account.namespace, account.name, undefined).groups
        : wanted.groups;
  const target: UserInfo = { ...wanted, groups: ownGroups };
  if (target.name !== anonymousUser.name) return inAuthenticated(target);
  if (target.groups.includes(unauthenticatedGroup)) return target;
  return { ...target, groups: [...target.groups, unauthenticatedGroup] };
}
