import type { PolicyRule } from '#schema/types.ts';

import type { UserInfo } from '../../request.ts';
import type { AuthorizationRequest } from '../authorizer.ts';
import { allowed, memoryAuthorizer, undecided } from '../verdict.ts';
import type { MemoryAuthorizer } from '../verdict.ts';
import type { AbacPolicy } from './policy-file.ts';

const readingVerbs: readonly string[] = ['get', 'list', 'watch'];
const noMatch = undecided('No policy matched.');

/** Mode ABAC: the first policy that matches allows. Policies are read at the start only. */
export function createAbacAuthorizer(options: {
  policies: readonly AbacPolicy[];
}): MemoryAuthorizer {
  const { policies } = options;
  return memoryAuthorizer({
    decide: (request) => (policies.some((policy) => matches(policy, request)) ? allowed : noMatch),
    rulesFor(user, namespace) {
      const rules = policies
        .filter((policy) => isAbout(policy, user) && isWild(policy.namespace, namespace))
        .flatMap(rulesOf);
      return { rules, errors: [], incomplete: false };
    },
  });
}

function matches(policy: AbacPolicy, request: AuthorizationRequest): boolean {
  if (!isAbout(policy, request.user)) return false;
  if (policy.isReadonly && !readingVerbs.includes(request.verb)) return false;
  const { resource, path } = request;
  if (resource === undefined) return matchesPath(policy.nonResourcePath, path);
  return (
    isWild(policy.namespace, resource.namespace) &&
    isWild(policy.resource, resource.resource) &&
    isWild(policy.apiGroup, resource.group)
  );
}

/** User and group have to match both where both are named; a policy without either is nobody's. */
function isAbout({ user, group }: AbacPolicy, who: UserInfo): boolean {
  if (user === '' && group === '') return false;
  return (user === '' || user === who.name) && (group === '' || who.groups.includes(group));
}

function isWild(pattern: string, value: string): boolean {
  return pattern === '*' || pattern === value;
}

function matchesPath(pattern: string, path: string): boolean {
  if (pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''));
}

function rulesOf(policy: AbacPolicy): PolicyRule[] {
  const verbs = policy.isReadonly ? [...readingVerbs] : ['*'];
  const { resource, nonResourcePath } = policy;
  return [
    ...(resource === '' ? [] : [{ verbs, apiGroups: [policy.apiGroup], resources: [resource] }]),
    ...(nonResourcePath === '' ? [] : [{ verbs, nonResourceURLs: [nonResourcePath] }]),
  ];
}
