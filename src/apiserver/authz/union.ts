import type { UserInfo } from '../request.ts';
import type { AuthorizationRequest, Authorizer } from './authorizer.ts';
import { allowed, memoryAuthorizer, noOpinion } from './verdict.ts';
import type { MemoryAuthorizer, UserRules, Verdict } from './verdict.ts';

export const superuserGroup = 'system:masters';

const everything: UserRules = {
  rules: [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ],
  errors: [],
  incomplete: false,
};
const nothing: UserRules = { rules: [], errors: [], incomplete: false };

/** Members of system:masters may do everything, whatever the roles say; asked first, as upstream. */
export function createSuperuserAuthorizer(): MemoryAuthorizer {
  const isSuperuser = (user: UserInfo): boolean => user.groups.includes(superuserGroup);
  return memoryAuthorizer({
    decide: (request) => (isSuperuser(request.user) ? allowed : noOpinion),
    rulesFor: (user) => (isSuperuser(user) ? everything : nothing),
  });
}

/** Allows everything: --authorization-mode=AlwaysAllow, and tests. */
export function createAlwaysAllowAuthorizer(): MemoryAuthorizer {
  return memoryAuthorizer({ decide: () => allowed, rulesFor: () => everything });
}

export interface UnionAuthorizer extends Authorizer {
  rulesFor(user: UserInfo, namespace: string): UserRules;
}

/**
 * Asks the authorizers in order until one has an opinion. Those that answer from memory are asked
 * without waiting; the reasons of those without an opinion are joined for the refusal.
 */
export function createUnionAuthorizer(options: {
  authorizers: readonly (Authorizer | MemoryAuthorizer)[];
}): UnionAuthorizer {
  const { authorizers } = options;
  return {
    async authorize(request: AuthorizationRequest): Promise<Verdict> {
      let reason = '';
      for (const authorizer of authorizers) {
        const verdict =
          'decide' in authorizer ? authorizer.decide(request) : await authorizer.authorize(request);
        if (verdict.decision !== 'no-opinion') return verdict;
        if (verdict.reason !== '') {
          reason = reason === '' ? verdict.reason : `${reason}\n${verdict.reason}`;
        }
      }
      return { decision: 'no-opinion', reason };
    },
    rulesFor(user, namespace) {
      const parts = authorizers
        .filter((authorizer) => 'decide' in authorizer)
        .map((authorizer) => authorizer.rulesFor(user, namespace));
      return {
        rules: parts.flatMap((part) => part.rules),
        errors: parts.flatMap((part) => part.errors),
        incomplete: parts.length < authorizers.length || parts.some((part) => part.incomplete),
      };
    },
  };
}
