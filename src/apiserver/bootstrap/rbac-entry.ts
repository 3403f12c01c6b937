import type { PolicyRule, RbacV1Subject } from '#schema/types.ts';

/**
 * A default role. A rule reads `verbs groups resources [named names]` or `verbs paths urls`, lists
 * joined by commas, the core group spelt core; labels and selectors have the value "true".
 */
export interface RoleEntry {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: readonly string[];
  readonly aggregate?: readonly string[];
  readonly rules: readonly string[];
}

/** `role` and `subjects` read `<kind> <name>`, service accounts `<namespace>/<name>`. */
export interface BindingEntry {
  readonly name: string;
  readonly namespace?: string;
  readonly role: string;
  readonly subjects: readonly string[];
}

/** `get,list core pods named web` as a PolicyRule. */
export function parseRule(text: string): PolicyRule {
  const [verbs = '', groups = '', resources = '', , names] = text.split(' ');
  const list = (joined: string): string[] => joined.split(',');
  if (groups === 'paths') return { verbs: list(verbs), nonResourceURLs: list(resources) };
  return {
    verbs: list(verbs),
    apiGroups: list(groups).map((group) => (group === 'core' ? '' : group)),
    resources: list(resources),
    ...(names === undefined ? {} : { resourceNames: list(names) }),
  };
}

/** `Group system:masters` or `ServiceAccount kube-system/x` as a Subject. */
export function parseSubject(text: string): RbacV1Subject {
  const [kind = '', who = ''] = text.split(' ');
  if (kind !== 'ServiceAccount') return { kind, name: who, apiGroup: 'rbac.authorization.k8s.io' };
  const [namespace = '', name = ''] = who.split('/');
  return { kind, name, namespace };
}
