import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { ClusterRole, PolicyRule } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import { startClusterRoleAggregation } from './cluster-role-aggregation.ts';

const rule = (resource: string): PolicyRule => ({
  apiGroups: [''],
  resources: [resource],
  verbs: ['get'],
});

function role(
  name: string,
  labels: Record<string, string>,
  more: Partial<ClusterRole>,
): ClusterRole {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels },
    ...more,
  };
}

test('rules are those of all chosen roles by name, each once, and follow them', async () => {
  const aggregate = { aggregate: 'yes' };
  const harness = createHarness([startClusterRoleAggregation], {
    objects: [
      role('all', aggregate, {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregate }] },
        rules: [rule('leftover')],
      }),
      role('b', aggregate, { rules: [rule('pods'), rule('secrets')] }),
      role('a', aggregate, { rules: [rule('secrets')] }),
      role('other', {}, { rules: [rule('nodes')] }),
    ],
  });
  const names = (): (string | undefined)[] | undefined =>
    harness.client
      .stored<ClusterRole>(resources.clusterRoles, 'all')
      ?.rules?.map(({ resources: of }) => of?.[0]);
  await harness.run(100);
  assert.deepEqual(names(), ['secrets', 'pods']);
  harness.client.add(role('c', aggregate, { rules: [rule('events')] }));
  await harness.run(100);
  assert.deepEqual(names(), ['secrets', 'pods', 'events']);
  harness.client.remove(resources.clusterRoles, 'b');
  await harness.run(100);
  assert.deepEqual(names(), ['secrets', 'events']);
  await harness.stop();
});
