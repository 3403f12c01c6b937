/** Who is let in and what each may do: certificates, tokens, impersonation, roles, nodes, reviews. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { Answer } from './answer.ts';
import { at } from './answer.ts';
import type { Identity, RequestOptions, TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const namespace = '/api/v1/namespaces/access';
const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/access';
const authorization = '/apis/authorization.k8s.io/v1';
let api: TestApi;
let viewer: Identity;
let owner: Identity;

before(async () => {
  api = await startTestApi({ disableScheduler: true });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'access' } } });
  await api.until(`${namespace}/serviceaccounts/default`, ({ status }) => status === 200);
  viewer = await api.identity('jane', ['devs']);
  owner = await api.identity('amy');
  await bind('view', 'jane');
  await bind('admin', 'amy');
});

after(() => api.close());

async function bind(role: string, user: string, options: RequestOptions = {}): Promise<Answer> {
  const apiGroup = 'rbac.authorization.k8s.io';
  const body = {
    metadata: { name: `${user}-${role}` },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'User', name: user, apiGroup }],
  };
  return await api.request('POST', `${rbac}/rolebindings`, { body, ...options });
}

const impersonating = (user: string, ...groups: string[]): RequestOptions => ({
  headers: {
    'Impersonate-User': user,
    ...(groups.length === 0 ? {} : { 'Impersonate-Group': groups }),
  },
});

describe('who', () => {
  test('nobody gets 401, everywhere', async () => {
    for (const path of ['/livez', '/api', `${namespace}/pods`]) {
      const answer = await api.request('GET', path, { as: 'none' });
      assert.deepEqual(answer.json, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Unauthorized',
        reason: 'Unauthorized',
        code: 401,
      });
    }
  });

  test('a certificate names user and groups', async () => {
    const answer = await api.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      as: viewer,
      body: {},
    });
    assert.equal(answer.at('status.userInfo.username'), 'jane');
    assert.deepEqual(answer.at('status.userInfo.groups'), ['devs', 'system:authenticated']);
  });

  test('impersonation needs its permission, and a user', async () => {
    const path = `${namespace}/pods`;
    const nobody = await api.request('GET', path, { headers: { 'Impersonate-Group': 'x' } });
    assert.equal(nobody.at('message'), 'requested [groups x] without impersonating a user');
    const refused = await api.request('GET', path, { as: viewer, ...impersonating('bob') });
    assert.equal(
      refused.at('message'),
      'users "bob" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    const root = await api.request('GET', path, impersonating('bob', 'system:masters'));
    assert.equal(root.status, 200);
    assert.equal((await api.request('GET', path, impersonating('bob'))).status, 403);
  });
});

describe('tokens of service accounts', () => {
  const ask = (spec: object, account = 'default'): Promise<Answer> =>
    api.request('POST', `${namespace}/serviceaccounts/${account}/token`, { body: { spec } });
  const withToken = (token: unknown): RequestOptions => ({
    as: 'none',
    headers: { Authorization: `Bearer ${String(token)}` },
  });

  test('a token speaks for its account', async () => {
    const answer = await ask({ expirationSeconds: 600 });
    assert.equal(answer.status, 201);
    const token = answer.at('status.token');
    const self = await api.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      ...withToken(token),
      body: {},
    });
    assert.deepEqual(self.at('status.userInfo.groups'), [
      'system:serviceaccounts',
      'system:serviceaccounts:access',
      'system:authenticated',
    ]);
    const pods = await api.request('GET', `${namespace}/pods`, withToken(token));
    assert.equal(
      pods.at('message'),
      'pods is forbidden: User "system:serviceaccount:access:default" cannot list resource "pods" in API group "" in the namespace "access"',
    );
  });

  test('a token for others is no credential here, but a review knows it', async () => {
    const token = (await ask({ audiences: ['vault'] })).at('status.token');
    assert.equal((await api.request('GET', '/api', withToken(token))).status, 401);
    const review = async (spec: object): Promise<Answer> =>
      await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: { spec } });
    const elsewhere = await review({ token, audiences: ['other', 'more'] });
    assert.equal(
      elsewhere.at('status.error'),
      'token audiences ["vault"] is invalid for the target audiences ["other" "more"]',
    );
    const known = await review({ token, audiences: ['vault', 'other'] });
    assert.equal(known.at('status.authenticated'), true);
    assert.deepEqual(known.at('status.audiences'), ['vault']);
    assert.equal((await review({ token })).at('status.authenticated'), undefined);
    assert.equal((await review({ token: 'x' })).at('status.authenticated'), undefined);
  });

  test('a token ends with the pod that it is bound to', async () => {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    const pod = await api.request('POST', `${namespace}/pods`, {
      body: { metadata: { name: 'bound' }, spec },
    });
    const uid = pod.at('metadata.uid');
    const reference = { kind: 'Pod', apiVersion: 'v1', name: 'bound', uid };
    const token = (await ask({ boundObjectRef: reference })).at('status.token');
    assert.equal((await api.request('GET', '/api', withToken(token))).status, 200);
    await api.request('DELETE', `${namespace}/pods/bound?gracePeriodSeconds=0`);
    assert.equal((await api.request('GET', '/api', withToken(token))).status, 401);
  });

  test('requests that cannot be are refused', async () => {
    const short = await ask({ expirationSeconds: 5 });
    assert.match(String(short.at('message')), /may not specify a duration less than 10 minutes/);
    assert.equal((await ask({}, 'nobody')).status, 404);
  });
});

describe('roles', () => {
  test('refusals say who cannot do what where', async () => {
    const cases: [method: string, path: string, message: string][] = [
      [
        'GET',
        `${namespace}/secrets`,
        'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "access"',
      ],
      [
        'GET',
        '/api/v1/nodes/n1',
        'nodes "n1" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope',
      ],
      [
        'PUT',
        '/apis/apps/v1/namespaces/access/deployments/d/scale',
        'deployments.apps "d" is forbidden: User "jane" cannot update resource "deployments/scale" in API group "apps" in the namespace "access"',
      ],
      ['GET', '/metrics', 'forbidden: User "jane" cannot get path "/metrics"'],
    ];
    for (const [method, path, message] of cases) {
      const answer = await api.request(method, path, { as: viewer });
      assert.deepEqual([answer.status, answer.at('message')], [403, message]);
    }
    assert.equal((await api.request('GET', `${namespace}/pods`, { as: viewer })).status, 200);
  });

  test('nobody hands out what they do not have', async () => {
    assert.equal((await bind('view', 'bob', { as: owner })).status, 201);
    const more = await bind('cluster-admin', 'amy', { as: owner });
    assert.equal(more.status, 403);
    assert.match(
      String(more.at('message')),
      /^rolebindings.rbac.authorization.k8s.io "amy-cluster-admin" is forbidden: user "amy" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n/,
    );
    const role = { metadata: { name: 'r' }, rules: [rule('', 'nodes', 'get')] };
    assert.equal(
      (await api.request('POST', `${rbac}/roles`, { as: owner, body: role })).status,
      403,
    );
  });

  test('a list is for one object only when its selector demands that name', async () => {
    await api.request('POST', `${rbac}/roles`, {
      body: {
        metadata: { name: 'one-secret' },
        rules: [
          { apiGroups: [''], resources: ['secrets'], resourceNames: ['one'], verbs: ['list'] },
        ],
      },
    });
    const apiGroup = 'rbac.authorization.k8s.io';
    await api.request('POST', `${rbac}/rolebindings`, {
      body: {
        metadata: { name: 'one-secret' },
        roleRef: { apiGroup, kind: 'Role', name: 'one-secret' },
        subjects: [{ kind: 'User', name: 'uma', apiGroup }],
      },
    });
    const as = await api.identity('uma');
    const list = async (selector: string): Promise<number> => {
      const path = `${namespace}/secrets?fieldSelector=${encodeURIComponent(selector)}`;
      return (await api.request('GET', path, { as })).status;
    };
    assert.equal(await list('metadata.name=one'), 200);
    assert.equal(await list('type!=x,metadata.name=one'), 200);
    assert.equal(await list('metadata.name=other'), 403);
    assert.equal(await list(String.raw`type!=x\,metadata.name=one`), 403);
    const node = await api.identity('system:node:n1', ['system:nodes']);
    const selector = encodeURIComponent(String.raw`status.phase!=x\,spec.nodeName=n1`);
    const pods = await api.request('GET', `/api/v1/pods?fieldSelector=${selector}`, { as: node });
    assert.equal(pods.status, 403);
  });

  test('aggregated roles gather what is labelled for them', async () => {
    const name = 'example-view';
    const metadata = {
      name,
      labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
    };
    const view = '/apis/rbac.authorization.k8s.io/v1/clusterroles/view';
    const rules = (await api.request('GET', view)).at('rules') as object[];
    assert.ok(rules.some((one) => (at(one, 'resources') as string[]).includes('configmaps')));
    const body = { metadata, rules: [rule('example.com', 'things', 'get')] };
    const made = await api.request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      body,
    });
    assert.equal(made.status, 201);
  });

  function rule(group: string, resource: string, verb: string): object {
    return { apiGroups: [group], resources: [resource], verbs: [verb] };
  }
});

describe('reviews', () => {
  const attributes = { namespace: 'access', verb: 'list', resource: 'pods' };

  test('for oneself, for others, for a namespace', async () => {
    const reason =
      'RBAC: allowed by RoleBinding "jane-view/access" of ClusterRole "view" to User "jane"';
    const self = await api.request('POST', `${authorization}/selfsubjectaccessreviews`, {
      as: viewer,
      body: { spec: { resourceAttributes: attributes } },
    });
    assert.deepEqual([self.status, self.at('status')], [201, { allowed: true, reason }]);
    const spec = { user: 'jane', resourceAttributes: attributes };
    const local = `${authorization}/namespaces/access/localsubjectaccessreviews`;
    for (const path of [`${authorization}/subjectaccessreviews`, local]) {
      const metadata = path === local ? { metadata: { namespace: 'access' } } : {};
      const answer = await api.request('POST', path, { body: { ...metadata, spec } });
      assert.equal(answer.at('status.allowed'), true, answer.text);
    }
    const other = await api.request('POST', `${authorization}/subjectaccessreviews`, {
      body: { spec: { ...spec, resourceAttributes: { ...attributes, verb: 'delete' } } },
    });
    assert.deepEqual(other.at('status'), { allowed: false });
  });

  test('rules are listed', async () => {
    const answer = await api.request('POST', `${authorization}/selfsubjectrulesreviews`, {
      as: viewer,
      body: { spec: { namespace: 'access' } },
    });
    const rules = answer.at('status.resourceRules') as object[];
    assert.ok(rules.some((one) => (at(one, 'resources') as string[]).includes('pods')));
    assert.ok(JSON.stringify(answer.at('status.nonResourceRules')).includes('/healthz'));
  });

  test('reviews that ask nothing are refused', async () => {
    const cases: [path: string, body: object, message: RegExp][] = [
      [
        `${authorization}/subjectaccessreviews`,
        { spec: { user: 'jane' } },
        /exactly one of nonResourceAttributes or resourceAttributes must be specified/,
      ],
      [
        `${authorization}/subjectaccessreviews`,
        { spec: { resourceAttributes: attributes } },
        /at least one of user or group must be specified/,
      ],
      [
        `${authorization}/selfsubjectaccessreviews`,
        { spec: { resourceAttributes: attributes, nonResourceAttributes: { path: '/' } } },
        /cannot be specified in combination with resourceAttributes/,
      ],
      [
        `${authorization}/namespaces/access/localsubjectaccessreviews`,
        {
          metadata: { namespace: 'access' },
          spec: { user: 'jane', resourceAttributes: { ...attributes, namespace: 'other' } },
        },
        /must match metadata.namespace/,
      ],
    ];
    for (const [path, body, message] of cases) {
      const answer = await api.request('POST', path, { body });
      assert.equal(answer.status, 422, answer.text);
      assert.match(String(answer.at('message')), message);
    }
  });
});

describe('nodes', () => {
  test('a kubelet reads what its pods need and writes what is its own', async () => {
    const as = await api.identity('system:node:n1', ['system:nodes']);
    const node = (name: string): Promise<Answer> =>
      api.request('POST', '/api/v1/nodes', { as, body: { metadata: { name } } });
    assert.equal((await node('n1')).status, 201);
    assert.equal(
      (await node('n2')).at('message'),
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    );
    const secret = `${namespace}/secrets/used`;
    await api.request('POST', `${namespace}/secrets`, { body: { metadata: { name: 'used' } } });
    const refused = await api.request('GET', secret, { as });
    assert.equal(
      refused.at('message'),
      `secrets "used" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "access": no relationship found between node 'n1' and this object`,
    );
    const volumes = [{ name: 'v', secret: { secretName: 'used' } }];
    const spec = { nodeName: 'n1', volumes, containers: [{ name: 'c', image: 'i' }] };
    await api.request('POST', `${namespace}/pods`, { body: { metadata: { name: 'user' }, spec } });
    assert.equal((await api.request('GET', secret, { as })).status, 200);
    const mine = '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1';
    assert.equal((await api.request('GET', mine, { as })).status, 200);
    assert.equal((await api.request('GET', '/api/v1/pods', { as })).status, 403);
    const labels = { 'node-restriction.kubernetes.io/x': '1' };
    const label = await api.request('PATCH', '/api/v1/nodes/n1', {
      as,
      body: { metadata: { labels } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    assert.match(String(label.at('message')), /is not allowed to modify labels/);
  });
});
