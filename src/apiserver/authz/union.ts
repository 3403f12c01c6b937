import type { UserInfo } from '../request.ts';
import type { AuthorizationRequest, Authorizer } from './authorizer.ts';
import { allowed, memoryAuthorizer, noOpinion, undecided } from './verdict.ts';
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

/**
 * Members of system:masters may do everything, whatever the roles say; asked first, as upstream,
 * and lists no rules: those who ask for theirs see what their roles grant.
 */
export function createSuperuserAuthorizer(): MemoryAuthorizer {
  const isSuperuser = (user: UserInfo): boolean => user.groups.includes(superuserGroup);
  return memoryAuthorizer({
    decide: (request) => (isSuperuser(request.user) ? allowed : noOpinion),
    rulesFor: () => nothing,
  });
}

/** Allows nothing: --authorization-mode=AlwaysDeny. */
export function createAlwaysDenyAuthorizer(): MemoryAuthorizer {
  return memoryAuthorizer({
    decide: () => undecided('Everything is forbidden.'),
    rulesFor: () => nothing,
  });
}

/** Allows everything: --authorization-mode=AlwaysAllow, and tests. */
export function createAlwaysAllowAuthorizer(): MemoryAuthorizer {
  return memoryAuthorizer({ decide: () => allowed, rulesFor: () => everything });
}

export interface UnionAuthorizer extends Authorizer {
  rulesFor(user: UserInfo, namespace: string): UserRules;
}

/** An authorizer that can say what it would allow, or that it cannot. */
type Listing = Authorizer & Pick<UnionAuthorizer, 'rulesFor'>;
type Member = Authorizer | MemoryAuthorizer | Listing;

/**
 * Asks the authorizers in order until one has an opinion. Those that answer from memory are asked
 * without waiting; the reasons of those without an opinion are joined for the refusal, as are their
 * errors.
 */
export function createUnionAuthorizer(options: {
  /** A function is asked each time: the set may change while the server runs. */
  authorizers: readonly Member[] | (() => readonly Member[]);
}): UnionAuthorizer {
  const all = (): readonly Member[] =>
    typeof options.authorizers === 'function' ? options.authorizers() : options.authorizers;
  return {
    async authorize(request: AuthorizationRequest): Promise<Verdict> {
      let reason = '';
      const errors: string[] = [];
      for (const authorizer of all()) {
        const verdict =
          'decide' in authorizer ? authorizer.decide(request) : await authorizer.authorize(request);
        if (verdict.decision !== 'no-opinion') return verdict;
        if (verdict.reason !== '') {
          reason = reason === '' ? verdict.reason : `${reason}\n${verdict.reason}`;
        }
        if (verdict.error !== undefined) errors.push(verdict.error);
      }
      if (errors.length === 0) return { decision: 'no-opinion', reason };
      const error = errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`;
      return { decision: 'no-opinion', reason, error };
    },
    rulesFor(user, namespace) {
      const authorizers = all();
      const parts = authorizers
        .filter((authorizer) => 'rulesFor' in authorizer)
        .map((authorizer) => authorizer.rulesFor(user, namespace));
      return {
        rules: parts.flatMap((part) => part.rules),
        errors: parts.flatMap((part) => part.errors),
        incomplete: parts.length < authorizers.length || parts.some((part) => part.incomplete),
      };
    },
  };
}
