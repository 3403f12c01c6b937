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
    const user = await impersonatedUser({ headers, user: admin, authorizer });
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
    const user = await impersonatedUser({ headers, user: admin, authorizer });
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
    const user = await impersonatedUser({ headers, user: admin, authorizer });
    assert.deepEqual(user.groups, ['system:unauthenticated']);
  });
});
