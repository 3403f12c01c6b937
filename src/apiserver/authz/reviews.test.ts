import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { resources } from '#client/mod.ts';

import { forOwnAudiences } from '../authn/token-authenticator.ts';
import { unauthorized } from '../authn/failures.ts';
import type { ResourceRequestContext } from '../request.ts';
import { FakeObjectReader } from './fake-object-reader.ts';
import { createNodeAuthorizer } from './node/node-authorizer.ts';
import { createRbacAuthorizer } from './rbac/rbac-authorizer.ts';
import { createReviewHandlers } from './reviews.ts';
import { createSuperuserAuthorizer, createUnionAuthorizer } from './union.ts';

function setUp() {
  const reader = new FakeObjectReader();
  reader.put(resources.clusterRoles, {
    metadata: { name: 'r' },
    rules: [
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['get'], nonResourceURLs: ['/version'] },
    ],
  } as never);
  reader.put(resources.clusterRoleBindings, {
    metadata: { name: 'b' },
    roleRef: { kind: 'ClusterRole', name: 'r' },
    subjects: [{ kind: 'User', name: 'jane' }],
  } as never);
  const authorizer = createUnionAuthorizer({
    authorizers: [
      createSuperuserAuthorizer(),
      createNodeAuthorizer({ reader, nodeRules: [] }),
      createRbacAuthorizer({ reader }),
    ],
  });
  const handlers = createReviewHandlers({
    authorizer,
    audiences: ['api'],
    tokens: forOwnAudiences(
      () => ['api'],
      async (token) => {
        if (token !== 'good') throw unauthorized('invalid bearer token');
        return { user: { name: 'jane', groups: ['g'] } };
      },
    ),
  });
  const review = async (resource: string, spec: object, user = 'jane', groups: string[] = []) => {
    const context = { user: { name: user, groups } } as unknown as ResourceRequestContext;
    const object = { metadata: { name: '' }, spec } as never;
    const group =
      resource.includes('access') || resource.includes('rules')
        ? 'authorization'
        : 'authentication';
    return (await handlers.get(`${resource}.${group}.k8s.io`)?.(object, context))?.['status'];
  };
  return { review };
}

const getPods = { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'ns' } };

describe('reviews', () => {
  it('answers what another user may do', async () => {
    const { review } = setUp();
    assert.deepEqual(await review('subjectaccessreviews', { user: 'jane', ...getPods }), {
      allowed: true,
      reason: 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "jane"',
    });
    assert.deepEqual(await review('subjectaccessreviews', { user: 'bob', ...getPods }), {
      allowed: false,
    });
    const path = { user: 'jane', nonResourceAttributes: { path: '/version', verb: 'get' } };
    assert.equal(
      ((await review('subjectaccessreviews', path)) as { allowed: boolean }).allowed,
      true,
    );
  });

  it('answers what the caller may do', async () => {
    const { review } = setUp();
    const spec = { resourceAttributes: { verb: 'delete', resource: 'nodes' } };
    assert.deepEqual(await review('selfsubjectaccessreviews', spec), { allowed: false });
    assert.deepEqual(await review('selfsubjectaccessreviews', spec, 'root', ['system:masters']), {
      allowed: true,
    });
  });

  it('lists the rules of the caller', async () => {
    const { review } = setUp();
    assert.deepEqual(await review('selfsubjectrulesreviews', { namespace: 'ns' }), {
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/version'] }],
      incomplete: false,
    });
    const ofNode = await review('selfsubjectrulesreviews', { namespace: 'ns' }, 'system:node:n', [
      'system:nodes',
    ]);
    assert.deepEqual(ofNode, {
      resourceRules: [],
      nonResourceRules: [],
      incomplete: true,
      evaluationError: 'node authorizer does not support user rule resolution',
    });
    // only what roles grant is listed: that members of system:masters need none is no rule
    const ofRoot = await review('selfsubjectrulesreviews', { namespace: 'ns' }, 'root', [
      'system:masters',
    ]);
    assert.deepEqual(ofRoot, { resourceRules: [], nonResourceRules: [], incomplete: false });
  });

  it('says whose token it is', async () => {
    const { review } = setUp();
    assert.deepEqual(await review('tokenreviews', { token: 'good' }), {
      authenticated: true,
      user: { username: 'jane', groups: ['g', 'system:authenticated'] },
      audiences: ['api'],
    });
    assert.deepEqual(await review('tokenreviews', { token: 'bad' }), {
      user: {},
      error: 'invalid bearer token',
    });
    assert.deepEqual(await review('tokenreviews', { token: 'good', audiences: ['vault'] }), {
      user: {},
      error: 'invalid bearer token',
    });
    await assert.rejects(review('tokenreviews', {}), { httpCode: 400 });
  });

  it('says who the caller is', async () => {
    const { review } = setUp();
    assert.deepEqual(await review('selfsubjectreviews', {}, 'jane', ['g']), {
      userInfo: { username: 'jane', groups: ['g'] },
    });
  });
});
