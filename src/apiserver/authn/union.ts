import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

import { anonymousUser } from '../request.ts';
import type { UserInfo } from '../request.ts';
import type { Authenticated, Authenticator, Credentials } from './authenticator.ts';
import { unauthorized } from './failures.ts';

export const authenticatedGroup = 'system:authenticated';
export const unauthenticatedGroup = 'system:unauthenticated';

/** Asks for a user on every request: never undefined, throws Unauthorized instead. */
export interface RequestAuthenticator {
  authenticate(credentials: Credentials): Promise<Authenticated>;
}

export interface UnionOptions {
  /** In upstream's order: front proxy, client certificate, tokens. */
  readonly authenticators: readonly Authenticator[];
  /**
   * --anonymous-auth; false is k3s' default, requests without credentials then get 401. A function
   * decides by the path.
   */
  readonly anonymous: boolean | ((path: string) => boolean);
  readonly log: Logger;
}

/**
 * The first authenticator that knows the credentials names the user, who then also belongs to
 * system:authenticated. Wrong credentials do not stop the search, but are never anonymous.
 */
export function createUnionAuthenticator(options: UnionOptions): RequestAuthenticator {
  const withGroup = new WeakMap<UserInfo, Authenticated>();
  return {
    async authenticate(credentials) {
      let failure: unknown;
      for (const authenticator of options.authenticators) {
        try {
          const found = await authenticator.authenticate(credentials);
          if (found === undefined) continue;
          let joined = withGroup.get(found.user);
          if (joined === undefined) {
            joined = { user: inAuthenticated(found.user), audiences: found.audiences };
            withGroup.set(found.user, joined);
          }
          const { auditAnnotations, warnings } = found;
          const isPlain = auditAnnotations === undefined && warnings === undefined;
          return isPlain ? joined : { ...joined, auditAnnotations, warnings };
        } catch (error) {
          if (!hasReason(error, 'Unauthorized')) throw error;
          failure = error;
        }
      }
      if (failure !== undefined) {
        const why = failure instanceof Error ? messageOf(failure.cause ?? failure) : '';
        options.log.debug('authentication failed', { why, remote: credentials.remoteAddress });
        throw failure;
      }
      const { anonymous } = options;
      const isLetIn =
        typeof anonymous === 'function' ? anonymous(credentials.path ?? '') : anonymous;
      if (isLetIn) return { user: anonymousUser };
      throw unauthorized('no credentials');
    },
  };
}

/** Upstream adds the group unless the user is marked as authenticated or not already. */
export function inAuthenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(authenticatedGroup) || user.groups.includes(unauthenticatedGroup)) {
    return user;
  }
  if (user.name === anonymousUser.name) return user;
  return { ...user, groups: [...user.groups, authenticatedGroup] };
}
