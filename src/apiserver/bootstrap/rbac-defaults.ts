import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
} from '#schema/types.ts';

import { clusterRoleBindings, roleBindings } from './rbac-bindings.ts';
import { controllerRoles } from './rbac-controller-roles.ts';
import { parseRule, parseSubject } from './rbac-entry.ts';
import type { BindingEntry, RoleEntry } from './rbac-entry.ts';
import { clusterRoles, roles } from './rbac-roles.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
export const autoupdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';

/** The roles and bindings that every cluster has, as objects to create. */
export interface RbacDefaults {
  readonly clusterRoles: readonly ClusterRole[];
  readonly clusterRoleBindings: readonly ClusterRoleBinding[];
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
}

export function rbacDefaults(): RbacDefaults {
  const entries = [...clusterRoles, ...controllerRoles];
  const ofControllers = controllerRoles.map(({ name }) => ({
    name,
    role: `ClusterRole ${name}`,
    subjects: [`ServiceAccount kube-system/${name.replace('system:controller:', '')}`],
  }));
  return {
    clusterRoles: entries.map((entry) => clusterRoleOf(entry, entries)),
    clusterRoleBindings: [...clusterRoleBindings, ...ofControllers].map((entry) => ({
      kind: 'ClusterRoleBinding',
      ...bindingOf(entry),
    })),
    roles: roles.map((entry) => ({
      apiVersion,
      kind: 'Role',
      metadata: metadataOf(entry),
      rules: entry.rules.map(parseRule),
    })),
    roleBindings: roleBindings.map((entry) => ({ kind: 'RoleBinding', ...bindingOf(entry) })),
  };
}

/** Rules of the role system:node, which the node authorizer applies as they are shipped. */
export function defaultNodeRules(): PolicyRule[] {
  return clusterRoles.find((entry) => entry.name === 'system:node')?.rules.map(parseRule) ?? [];
}

function metadataOf(entry: RoleEntry | BindingEntry) {
  const labels: Record<string, string> = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
  for (const label of 'labels' in entry ? (entry.labels ?? []) : []) labels[label] = 'true';
  return {
    name: entry.name,
    ...(entry.namespace === undefined ? {} : { namespace: entry.namespace }),
    labels,
    annotations: { [autoupdateAnnotation]: 'true' },
  };
}

function clusterRoleOf(entry: RoleEntry, all: readonly RoleEntry[]): ClusterRole {
  const role = { apiVersion, kind: 'ClusterRole', metadata: metadataOf(entry) };
  if (entry.aggregate === undefined) return { ...role, rules: entry.rules.map(parseRule) };
  return {
    ...role,
    aggregationRule: {
      clusterRoleSelectors: entry.aggregate.map((label) => ({ matchLabels: { [label]: 'true' } })),
    },
    // What the aggregation controller will find; filled in so that the roles work before it runs.
    rules: aggregatedRules(entry, all),
  };
}

function aggregatedRules(entry: RoleEntry, all: readonly RoleEntry[]): PolicyRule[] {
  return all
    .filter((other) => other.labels?.some((label) => entry.aggregate?.includes(label) === true))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((other) =>
      other.aggregate === undefined ? other.rules.map(parseRule) : aggregatedRules(other, all),
    );
}

function bindingOf(entry: BindingEntry) {
  const [kind = '', name = ''] = entry.role.split(' ');
  return {
    apiVersion,
    metadata: metadataOf(entry),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: entry.subjects.map(parseSubject),
  };
}
