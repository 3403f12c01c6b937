import { badRequest } from '../api-errors.ts';
import type { Authorizer, ResourceAttributes } from '../authz/authorizer.ts';
import { forbiddenRequest } from '../authz/forbidden.ts';
import { anonymousUser } from '../request.ts';
import type { UserInfo } from '../request.ts';
import type { Credentials } from './authenticator.ts';
import { headersWithPrefix, headerValues } from './headers.ts';
import { parseServiceAccountUser, serviceAccountUser } from './service-account-claims.ts';
import { inAuthenticated, unauthenticatedGroup } from './union.ts';

/** Whether a request asks to act as somebody else at all; cheap. */
export function wantsImpersonation(headers: Credentials['headers']): boolean {
  for (const name in headers) {
    if (name.startsWith('impersonate-')) return true;
  }
  return false;
}

/**
 * The user that the Impersonate-* headers ask for, after `authorizer` allowed the real user the
 * verb impersonate on each part of it. Throws Forbidden, or BadRequest for groups without a user.
 */
export async function impersonatedUser(options: {
  headers: Credentials['headers'];
  user: UserInfo;
  authorizer: Authorizer;
}): Promise<UserInfo> {
  const { headers, user, authorizer } = options;
  const name = headerValues(headers['impersonate-user'])[0] ?? '';
  const uid = headerValues(headers['impersonate-uid'])[0] ?? '';
  const groups = headerValues(headers['impersonate-group']);
  const extra = headersWithPrefix(headers, 'impersonate-extra-');
  const account = parseServiceAccountUser(name);
  const checks: ResourceAttributes[] = [];
  if (account !== undefined) {
    checks.push(asked('serviceaccounts', account.name, { namespace: account.namespace }));
  } else if (name !== '') {
    checks.push(asked('users', name));
  }
  const authentication = 'authentication.k8s.io';
  for (const group of groups) checks.push(asked('groups', group));
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) {
      checks.push(asked('userextras', value, { group: authentication, subresource: key }));
    }
  }
  if (uid !== '') checks.push(asked('uids', uid, { group: authentication }));
  if (name === '') {
    const parts = checks.map((check) => `${check.resource} ${check.name}`).join(' ');
    throw badRequest(`requested [${parts}] without impersonating a user`);
  }
  for (const resource of checks) {
    const request = { user, resource, path: '', verb: resource.verb };
    const { decision, reason } = await authorizer.authorize(request);
    if (decision !== 'allow') throw forbiddenRequest(request, reason);
  }
  const ownGroups =
    account !== undefined && groups.length === 0
      ? serviceAccountUser(account.namespace, account.name, undefined).groups
      : groups;
  const target: UserInfo = {
    name,
    uid: uid === '' ? undefined : uid,
    groups: ownGroups,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  };
  if (name !== anonymousUser.name) return inAuthenticated(target);
  if (target.groups.includes(unauthenticatedGroup)) return target;
  return { ...target, groups: [...target.groups, unauthenticatedGroup] };
}

function asked(
  resource: string,
  name: string,
  more: { namespace?: string; group?: string; subresource?: string } = {},
): ResourceAttributes {
  return {
    verb: 'impersonate',
    group: more.group ?? '',
    version: more.group === undefined ? '' : 'v1',
    resource,
    subresource: more.subresource ?? '',
    namespace: more.namespace ?? '',
    name,
  };
}
