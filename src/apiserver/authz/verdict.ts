import type { PolicyRule } from '#schema/types.ts';

import type { UserInfo } from '../request.ts';
import type { AuthorizationRequest, Authorizer, Decision } from './authorizer.ts';

export interface Verdict {
  readonly decision: Decision;
  readonly reason: string;
  /** Why an authorizer could not decide. */
  readonly error?: string | undefined;
}

/** Permissions of a user as far as an authorizer can list them. */
export interface UserRules {
  readonly rules: readonly PolicyRule[];
  /** Why the list is not all: roles that do not exist, an authorizer that cannot list. */
  readonly errors: readonly string[];
  readonly incomplete: boolean;
}

/** An authorizer that answers from memory, without waiting. */
export interface MemoryAuthorizer extends Authorizer {
  decide(request: AuthorizationRequest): Verdict;
  /** What the user may do in a namespace, or at the cluster scope when it is empty. */
  rulesFor(user: UserInfo, namespace: string): UserRules;
}

export const noOpinion: Verdict = { decision: 'no-opinion', reason: '' };
export const allowed: Verdict = { decision: 'allow', reason: '' };

/** No opinion, with a reason that the refusal shows. */
export function undecided(reason: string): Verdict {
  return { decision: 'no-opinion', reason };
}

/** Completes `decide` and `rulesFor` to an Authorizer. */
export function memoryAuthorizer(
  of: Pick<MemoryAuthorizer, 'decide' | 'rulesFor'>,
): MemoryAuthorizer {
  return {
    decide: of.decide,
    rulesFor: of.rulesFor,
    authorize: async (request) => of.decide(request),
  };
}
