import { resources, startControllerLoop } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { ClusterRole, PolicyRule } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';

/** Rules of all roles that the selectors choose, by name of the role, each rule once; pure. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const rules: PolicyRule[] = [];
  const sorted = all.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const compiled = labelSelectorFrom(selector);
    for (const other of sorted) {
      if (other.metadata.name === role.metadata.name) continue;
      if (!compiled.matches(other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) {
        if (!rules.some((known) => isSameJson(known, rule))) rules.push(rule);
      }
    }
  }
  return rules;
}

/** Keeps the rules of roles with an aggregationRule. */
export const startClusterRoleAggregation: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const roles = informers.informer<ClusterRole>(resources.clusterRoles);
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'clusterrole-aggregation-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: roles.synced(signal),
    async reconcile(name) {
      const role = roles.get(name);
      if (role?.aggregationRule === undefined) return;
      const rules = aggregatedRules(role, roles.list());
      if (isSameJson(role.rules ?? [], rules)) return;
      const { apiVersion, kind } = role;
      const body = { apiVersion, kind, metadata: { name }, rules };
      try {
        const fieldManager = 'clusterrole-aggregation-controller';
        const patch = { type: 'apply', body, force: true } as const;
        await client.patch(resources.clusterRoles, name, patch, { fieldManager });
      } catch (error) {
        if (!isObjectGone(error, role)) throw error;
      }
    },
  });
  const enqueueAll = (): void => {
    for (const role of roles.list()) {
      if (role.aggregationRule !== undefined) loop.queue.add(role.metadata.name);
    }
  };
  roles.addHandler({ onAdd: enqueueAll, onUpdate: enqueueAll, onDelete: enqueueAll });
  return loop.done;
};
