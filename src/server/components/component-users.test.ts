import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllers } from '#controllers/mod.ts';
import type { ControllerName } from '#controllers/mod.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import { bootstrapCluster } from '#apiserver/bootstrap/mod.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { ClusterRoleBinding, RoleBinding } from '#schema/types.ts';
import { accountOf, accountUser } from './component-users.ts';

test('each controller acts as an account that the default bindings name', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock, random: seededRandom(1) });
  await bootstrapCluster({
    client,
    log: silentLogger,
    trust: { clientCa: 'ca', requestHeaderCa: 'ca', requestHeaderAllowedNames: [] },
    serviceCidrs: ['10.43.0.0/16'],
    port: 6443,
    addresses: ['192.0.2.1'],
    signal: new AbortController().signal,
  });
  const bindings = [
    ...client.all<ClusterRoleBinding>(resources.clusterRoleBindings),
    ...client.all<RoleBinding>(resources.roleBindings),
  ];
  const named = new Set(
    bindings.flatMap(({ subjects = [] }) =>
      subjects.filter(({ kind }) => kind === 'ServiceAccount').map(({ name }) => name),
    ),
  );
  const unknown = (Object.keys(controllers) as ControllerName[]).filter((name) => {
    const account = accountOf(name);
    return account !== undefined && !named.has(account);
  });
  assert.deepEqual(unknown, []);
});

test('the user of an account is the one that its token would name', () => {
  const account: { uid?: string } = {};
  const user = accountUser('job-controller', () => account.uid);
  assert.equal(user.name, 'system:serviceaccount:kube-system:job-controller');
  assert.equal(user.uid, undefined);
  account.uid = 'u1';
  assert.equal(user.uid, 'u1');
});
