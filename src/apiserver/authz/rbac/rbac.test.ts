import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { resources } from '#client/mod.ts';
import type { PolicyRule } from '#schema/types.ts';

import type { AuthorizationRequest, ResourceAttributes } from '../authorizer.ts';
import { forbiddenRequest } from '../forbidden.ts';
import { FakeObjectReader } from '../fake-object-reader.ts';
import { describeRules, uncoveredRules } from './coverage.ts';
import { createRbacAuthorizer } from './rbac-authorizer.ts';
import { compileRules, rulesAllow } from './rules.ts';

const alice = { name: 'alice', groups: ['dev', 'system:authenticated'] };

function ask(more: Partial<ResourceAttributes>, user = alice): AuthorizationRequest {
  const resource = {
    verb: 'get',
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: '',
    name: '',
    ...more,
  };
  return { user, resource, path: '', verb: resource.verb };
}

const askPath = (path: string, verb = 'get'): AuthorizationRequest => ({ user: alice, path, verb });

describe('a rule', () => {
  const cases: [string, PolicyRule, AuthorizationRequest, boolean][] = [
    [
      'allows what it names',
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      ask({}),
      true,
    ],
    ['needs the verb', { verbs: ['list'], apiGroups: [''], resources: ['pods'] }, ask({}), false],
    ['needs the group', { verbs: ['*'], apiGroups: ['apps'], resources: ['*'] }, ask({}), false],
    [
      'does not reach into subresources by the resource alone',
      { verbs: ['*'], apiGroups: ['*'], resources: ['pods'] },
      ask({ subresource: 'exec' }),
      false,
    ],
    [
      'reaches a subresource of every resource by */name',
      { verbs: ['*'], apiGroups: ['*'], resources: ['*/scale'] },
      ask({ resource: 'deployments', subresource: 'scale' }),
      true,
    ],
    [
      'does not read pods/* as a pattern, as upstream',
      { verbs: ['*'], apiGroups: ['*'], resources: ['pods/*'] },
      ask({ subresource: 'exec' }),
      false,
    ],
    [
      'with the wildcard resource reaches all subresources',
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      ask({ subresource: 'exec' }),
      true,
    ],
    [
      'with names needs the name',
      { verbs: ['*'], apiGroups: [''], resources: ['pods'], resourceNames: ['web'] },
      ask({ name: 'db' }),
      false,
    ],
    [
      'with names does not allow a list',
      { verbs: ['*'], apiGroups: [''], resources: ['pods'], resourceNames: ['web'] },
      ask({ verb: 'list' }),
      false,
    ],
    [
      'matches a path exactly',
      { verbs: ['get'], nonResourceURLs: ['/healthz'] },
      askPath('/healthz/etcd'),
      false,
    ],
    [
      'matches paths under a prefix',
      { verbs: ['get'], nonResourceURLs: ['/healthz/*'] },
      askPath('/healthz/etcd'),
      true,
    ],
    [
      'on resources says nothing about paths',
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      askPath('/metrics'),
      false,
    ],
  ];
  for (const [name, rule, request, expected] of cases) {
    it(name, () => assert.equal(rulesAllow(compileRules([rule]), request), expected));
  }
});

function setUp() {
  const reader = new FakeObjectReader();
  reader.put(resources.clusterRoles, {
    metadata: { name: 'reader' },
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
  } as never);
  reader.put(resources.roles, {
    metadata: { name: 'writer', namespace: 'n1' },
    rules: [{ verbs: ['create'], apiGroups: [''], resources: ['pods'] }],
  } as never);
  return { reader, authorizer: createRbacAuthorizer({ reader }) };
}

function bind(
  kind: string,
  role: string,
  subjects: { kind: string; name: string; namespace?: string }[],
  namespace?: string,
): never {
  return { metadata: { name: 'b', namespace }, roleRef: { kind, name: role }, subjects } as never;
}

describe('role-based access', () => {
  it('names the binding that allowed', () => {
    const { reader, authorizer } = setUp();
    reader.put(
      resources.clusterRoleBindings,
      bind('ClusterRole', 'reader', [{ kind: 'Group', name: 'dev' }]),
    );
    assert.deepEqual(authorizer.decide(ask({ namespace: 'n1' })), {
      decision: 'allow',
      reason: 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "reader" to Group "dev"',
    });
  });

  it('keeps a role binding inside its namespace', () => {
    const { reader, authorizer } = setUp();
    reader.put(
      resources.roleBindings,
      bind('ClusterRole', 'reader', [{ kind: 'User', name: 'alice' }], 'n1'),
    );
    assert.equal(
      authorizer.decide(ask({ namespace: 'n1' })).reason,
      'RBAC: allowed by RoleBinding "b/n1" of ClusterRole "reader" to User "alice"',
    );
    assert.equal(authorizer.decide(ask({ namespace: 'n2' })).decision, 'no-opinion');
    assert.equal(authorizer.decide(ask({})).decision, 'no-opinion');
  });

  it('follows roles and bindings as they come, change and go', () => {
    const { reader, authorizer } = setUp();
    const account = { name: 'system:serviceaccount:n1:app', groups: [] };
    const request = ask({ verb: 'create', namespace: 'n1' }, account);
    const subject = { kind: 'ServiceAccount', name: 'app', namespace: 'n1' };
    reader.put(resources.roleBindings, bind('Role', 'writer', [subject], 'n1'));
    assert.equal(authorizer.decide(request).decision, 'allow');
    reader.remove(resources.roles, 'n1', 'writer');
    assert.deepEqual(authorizer.decide(request), {
      decision: 'no-opinion',
      reason: 'RBAC: role.rbac.authorization.k8s.io "writer" not found',
    });
    reader.put(resources.roles, {
      metadata: { name: 'writer', namespace: 'n1' },
      rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    } as never);
    assert.equal(authorizer.decide(request).decision, 'allow');
    reader.put(resources.roleBindings, bind('Role', 'writer', [], 'n1'));
    assert.equal(authorizer.decide(request).decision, 'no-opinion');
    reader.put(resources.roleBindings, bind('Role', 'writer', [subject], 'n1'));
    reader.remove(resources.roleBindings, 'n1', 'b');
    assert.equal(authorizer.decide(request).decision, 'no-opinion');
  });

  it('refuses with the words of upstream', () => {
    const error = forbiddenRequest(
      ask({ verb: 'list', group: 'apps', resource: 'deployments', namespace: 'n1' }),
      'because',
    );
    assert.equal(
      error.message,
      'deployments.apps is forbidden: User "alice" cannot list resource "deployments" in API group "apps" in the namespace "n1": because',
    );
    assert.equal(
      forbiddenRequest(ask({ name: 'web', subresource: 'log' })).message,
      'pods "web" is forbidden: User "alice" cannot get resource "pods/log" in API group "" at the cluster scope',
    );
    assert.equal(
      forbiddenRequest(askPath('/metrics')).message,
      'forbidden: User "alice" cannot get path "/metrics"',
    );
  });
});

describe('covering rules', () => {
  const held: PolicyRule[] = [
    { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', '*/scale'] },
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['s1'] },
    { verbs: ['get'], nonResourceURLs: ['/logs/*'] },
  ];
  it('finds nothing missing in a part of what is held', () => {
    const wanted: PolicyRule[] = [
      { verbs: ['get'], apiGroups: [''], resources: ['pods', 'deployments/scale'] },
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['s1'] },
      { verbs: ['get'], nonResourceURLs: ['/logs/a'] },
    ];
    assert.deepEqual(uncoveredRules(held, wanted), []);
  });

  it('names what is missing, verbs joined', () => {
    const wanted: PolicyRule[] = [
      { verbs: ['get', 'delete', 'patch'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'] },
    ];
    assert.equal(
      describeRules(uncoveredRules(held, wanted)),
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "patch"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    );
  });
});
