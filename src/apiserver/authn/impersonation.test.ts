import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AuthorizationRequest, Authorizer } from '../authz/authorizer.ts';
import { impersonatedUser, wantsImpersonation } from './impersonation.ts';

const admin = { name: 'admin', groups: ['system:masters'] };

function recording(allowed: (request: AuthorizationRequest) => boolean) {
  const asked: string[] = [];
  const authorizer: Authorizer = {
    authorize: async (request) => {
      const { verb, group, resource, subresource, namespace, name } = request.resource ?? {};
      asked.push([verb, group, resource, subresource, namespace, name].join('|'));
      return { decision: allowed(request) ? 'allow' : 'no-opinion', reason: '' };
    },
  };
  return { asked, authorizer };
}

describe('impersonation', () => {
  it('asks for each part and joins system:authenticated', async () => {
    const { asked, authorizer } = recording(() => true);
    const headers = {
      'impersonate-user': 'jane',
      'impersonate-group': ['dev', 'ops'],
      'impersonate-uid': 'u-1',
      'impersonate-extra-scopes': 'view',
    };
    assert.ok(wantsImpersonation(headers));
    const { user, constraint } = await impersonatedUser({ headers, user: admin, authorizer });
    assert.equal(constraint, undefined);
    assert.deepEqual(user, {
      name: 'jane',
      uid: 'u-1',
      groups: ['dev', 'ops', 'system:authenticated'],
      extra: { scopes: ['view'] },
    });
    assert.deepEqual(asked, [
      'impersonate||users|||jane',
      'impersonate||groups|||dev',
      'impersonate||groups|||ops',
      'impersonate|authentication.k8s.io|userextras|scopes||view',
      'impersonate|authentication.k8s.io|uids|||u-1',
    ]);
  });

  it('asks for a service account in its namespace and gives it its groups', async () => {
    const { asked, authorizer } = recording(() => true);
    const headers = { 'impersonate-user': 'system:serviceaccount:ns:app' };
    const { user } = await impersonatedUser({ headers, user: admin, authorizer });
    assert.deepEqual(asked, ['impersonate||serviceaccounts||ns|app']);
    assert.deepEqual(user.groups, [
      'system:serviceaccounts',
      'system:serviceaccounts:ns',
      'system:authenticated',
    ]);
  });

  it('refuses with the text of a refused request', async () => {
    const { authorizer } = recording(() => false);
    const headers = { 'impersonate-user': 'jane' };
    await assert.rejects(
      impersonatedUser({ headers, user: { name: 'bob', groups: [] }, authorizer }),
      {
        httpCode: 403,
        message:
          'users "jane" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
      },
    );
  });

  it('needs a user beside groups', async () => {
    const { authorizer } = recording(() => true);
    const headers = { 'impersonate-group': 'dev' };
    await assert.rejects(impersonatedUser({ headers, user: admin, authorizer }), {
      httpCode: 400,
      message: 'requested [groups dev] without impersonating a user',
    });
  });

  it('does not authenticate the anonymous user', async () => {
    const { authorizer } = recording(() => true);
    const headers = { 'impersonate-user': 'system:anonymous' };
    const { user } = await impersonatedUser({ headers, user: admin, authorizer });
    assert.deepEqual(user.groups, ['system:unauthenticated']);
  });
});

describe('constrained impersonation', () => {
  const info = {
    isResourceRequest: true,
    verb: 'list',
    path: '/api/v1/namespaces/ns/pods',
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: 'ns',
    name: '',
    rest: '',
  };
  const onlyFor =
    (mode: string) =>
    ({ verb }: AuthorizationRequest): boolean =>
      verb === `impersonate:${mode}` || verb === `impersonate-on:${mode}:list`;

  it('lets a user list in the name of another without the verb impersonate', async () => {
    const { asked, authorizer } = recording(onlyFor('user-info'));
    const headers = { 'impersonate-user': 'jane', 'impersonate-group': 'dev' };
    const answer = await impersonatedUser({ headers, user: admin, authorizer, info });
    assert.deepEqual(answer.user.groups, ['dev', 'system:authenticated']);
    assert.equal(answer.constraint, 'impersonate:user-info');
    assert.deepEqual(asked, [
      'impersonate-on:user-info:list||pods||ns|',
      'impersonate:user-info|authentication.k8s.io|users|||jane',
      'impersonate:user-info|authentication.k8s.io|groups|||dev',
    ]);
  });

  it('never gives system:masters, nor another verb', async () => {
    const { authorizer } = recording(onlyFor('user-info'));
    const masters = { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' };
    const refused = /cannot impersonate resource "users" in API group ""/;
    await assert.rejects(
      impersonatedUser({ headers: masters, user: admin, authorizer, info }),
      refused,
    );
    const other = { ...info, verb: 'create' };
    const headers = { 'impersonate-user': 'jane' };
    await assert.rejects(
      impersonatedUser({ headers, user: admin, authorizer, info: other }),
      refused,
    );
  });

  it('gives a node its group, and a service account its groups', async () => {
    const node = recording(onlyFor('arbitrary-node'));
    const headers = { 'impersonate-user': 'system:node:n1' };
    const asNode = await impersonatedUser({
      headers,
      user: admin,
      authorizer: node.authorizer,
      info,
    });
    assert.deepEqual(asNode.user.groups, ['system:nodes', 'system:authenticated']);
    assert.equal(node.asked.at(-1), 'impersonate:arbitrary-node|authentication.k8s.io|nodes|||n1');
    const account = recording(onlyFor('serviceaccount'));
    const asAccount = await impersonatedUser({
      headers: { 'impersonate-user': 'system:serviceaccount:ns:app' },
      user: admin,
      authorizer: account.authorizer,
      info,
    });
    assert.deepEqual(asAccount.user.groups.slice(0, 2), [
      'system:serviceaccounts',
      'system:serviceaccounts:ns',
    ]);
  });

  it('lets a service account be the node that it runs on, and no other', async () => {
    const { asked, authorizer } = recording(onlyFor('associated-node'));
    const user = {
      name: 'system:serviceaccount:ns:agent',
      groups: [],
      extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
    };
    const headers = { 'impersonate-user': 'system:node:n1' };
    const asNode = await impersonatedUser({ headers, user, authorizer, info });
    assert.equal(asNode.user.name, 'system:node:n1');
    assert.equal(asked.at(-1), 'impersonate:associated-node|authentication.k8s.io|nodes|||*');
    const other = { 'impersonate-user': 'system:node:n2' };
    await assert.rejects(impersonatedUser({ headers: other, user, authorizer, info }));
  });
});
