import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
} from '#schema/types.ts';

import { notFound } from '../api-errors.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { describeRules, quoteList, uncoveredRules } from '../authz/rbac/coverage.ts';
import type { RbacAuthorizer } from '../authz/rbac/rbac-authorizer.ts';
import { aggregate } from '../authz/rbac/rbac-authorizer.ts';
import { superuserGroup } from '../authz/union.ts';
import { refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';
import { sameJson } from './same-json.ts';

const group = 'rbac.authorization.k8s.io';
const fullAuthority: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export interface RoleEscalationOptions {
  readonly rbac: RbacAuthorizer;
  readonly authorizer: Authorizer;
}

/**
 * Nobody hands out permissions that they do not hold: a role needs all its rules or the verb
 * escalate, a binding all rules of its role or the verb bind. Upstream does this in the storage of
 * the four kinds; here it is a plugin that is always on and comes first among the validating ones.
 */
export function createRoleEscalationCheck(options: RoleEscalationOptions): AdmissionPlugin {
  return {
    name: 'RoleEscalationCheck',
    handles: (attributes) =>
      attributes.context.resource.group === group &&
      attributes.subresource === '' &&
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      !attributes.context.user.groups.includes(superuserGroup),
    async validate(attributes) {
      if (isOnlyCollected(attributes)) return;
      const { resource } = attributes.context.resource;
      if (resource === 'roles' || resource === 'clusterroles') await checkRole(options, attributes);
      else await checkBinding(options, attributes);
    },
  };
}

async function checkRole(
  options: RoleEscalationOptions,
  attributes: AdmissionAttributes,
): Promise<void> {
  const { resource } = attributes.context.resource;
  const role = attributes.object as unknown as Role | ClusterRole;
  const { name } = role.metadata;
  if (await mayUse(options.authorizer, attributes, 'escalate', resource, name)) return;
  checkHeld(options.rbac, attributes, role.rules ?? []);
  if (resource !== 'clusterroles') return;
  const { aggregationRule } = role as ClusterRole;
  const old = attributes.oldObject as unknown as ClusterRole | undefined;
  const isSet = aggregationRule !== undefined || old?.aggregationRule !== undefined;
  if (!isSet || (old !== undefined && sameJson(aggregationRule, old.aggregationRule))) return;
  const held = options.rbac.rulesFor(attributes.context.user, '').rules;
  if (uncoveredRules(held, fullAuthority).length > 0) {
    throw refuse(attributes, 'must have cluster-admin privileges to use an aggregationRule');
  }
}

async function checkBinding(
  options: RoleEscalationOptions,
  attributes: AdmissionAttributes,
): Promise<void> {
  const binding = attributes.object as unknown as RoleBinding | ClusterRoleBinding;
  const { kind, name } = binding.roleRef;
  const resource = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (await mayUse(options.authorizer, attributes, 'bind', resource, name)) return;
  const rules = options.rbac.roleRules(kind, name, attributes.namespace);
  if (rules === undefined) throw notFound({ group, resource }, name);
  checkHeld(options.rbac, attributes, rules);
}

function checkHeld(
  rbac: RbacAuthorizer,
  attributes: AdmissionAttributes,
  wanted: readonly PolicyRule[],
): void {
  const { user } = attributes.context;
  const held = rbac.rulesFor(user, attributes.namespace);
  const missing = uncoveredRules(held.rules, wanted);
  if (missing.length === 0) return;
  const errors = held.errors.length === 0 ? '' : `; resolution errors: ${aggregate(held.errors)}`;
  throw refuse(
    attributes,
    `user ${JSON.stringify(user.name)} (groups=${quoteList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${describeRules(missing)}${errors}`,
  );
}

async function mayUse(
  authorizer: Authorizer,
  attributes: AdmissionAttributes,
  verb: 'bind' | 'escalate',
  resource: string,
  name: string,
): Promise<boolean> {
  const asked = {
    verb,
    group,
    version: '*',
    resource,
    subresource: '',
    namespace: attributes.namespace,
    name,
  };
  const { user } = attributes.context;
  const { decision } = await authorizer.authorize({ user, resource: asked, path: '', verb });
  return decision === 'allow';
}

/** The garbage collector may change owners and finalizers without holding the permissions. */
function isOnlyCollected(attributes: AdmissionAttributes): boolean {
  const { object, oldObject } = attributes;
  if (object === undefined || oldObject === undefined) return false;
  const rest = ({ metadata, ...fields }: typeof object): unknown => {
    const { ownerReferences: _owners, finalizers: _finalizers, ...meta } = metadata;
    const { managedFields: _managed, resourceVersion: _version, ...left } = meta;
    return { metadata: left, fields };
  };
  return sameJson(rest(object), rest(oldObject));
}
