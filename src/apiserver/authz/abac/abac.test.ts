import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createAbacAuthorizer } from './abac-authorizer.ts';
import { parsePolicyFile } from './policy-file.ts';

const line = (spec: object): string =>
  JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec });

const file = [
  '# who may do what',
  '',
  line({ user: 'alice', namespace: '*', resource: '*', apiGroup: '*' }),
  line({ user: 'bob', namespace: 'projectCaribou', resource: 'pods', readonly: true }),
  line({ group: '*', nonResourcePath: '/healthz*', readonly: true }),
  line({ user: 'eve', group: 'dev', namespace: 'dev', resource: 'pods' }),
  '{"user":"old","namespace":"ns"}',
].join('\n');
const authorizer = createAbacAuthorizer({ policies: parsePolicyFile('/p', file) });

function decide(name: string, verb: string, more: object | string, groups: string[] = []): string {
  const resource = {
    verb,
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: '',
    name: '',
  };
  const user = { name, groups: ['system:authenticated', ...groups] };
  const { decision, reason } = authorizer.decide(
    typeof more === 'string'
      ? { user, verb, path: more }
      : { user, verb, path: '', resource: { ...resource, ...more } },
  );
  return decision === 'allow' ? 'allow' : reason;
}

describe('ABAC', () => {
  const no = 'No policy matched.';
  const table: [string, string, object | string, string][] = [
    ['alice', 'delete', { namespace: 'ns', group: 'apps', resource: 'deployments' }, 'allow'],
    ['alice', 'get', '/version', no],
    ['bob', 'list', { namespace: 'projectCaribou' }, 'allow'],
    ['bob', 'get', { namespace: 'projectCaribou', subresource: 'log' }, 'allow'],
    ['bob', 'create', { namespace: 'projectCaribou' }, no],
    ['bob', 'get', { namespace: 'other' }, no],
    ['bob', 'get', { namespace: 'projectCaribou', group: 'metrics.k8s.io' }, no],
    ['bob', 'get', '/healthz/etcd', 'allow'],
    ['bob', 'post', '/healthz', no],
    ['eve', 'create', { namespace: 'dev' }, no],
    ['old', 'create', { namespace: 'ns', group: 'batch', resource: 'jobs' }, 'allow'],
    ['old', 'get', { namespace: 'other' }, no],
  ];
  for (const [user, verb, what, expected] of table) {
    it(`${user} ${verb} ${JSON.stringify(what)}: ${expected}`, () => {
      assert.equal(decide(user, verb, what), expected);
    });
  }

  it('asks for user and group where both are named', () => {
    assert.equal(decide('eve', 'create', { namespace: 'dev' }, ['dev']), 'allow');
  });

  it('lists what a user may do', () => {
    assert.deepEqual(authorizer.rulesFor({ name: 'bob', groups: [] }, 'projectCaribou'), {
      rules: [{ verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['pods'] }],
      errors: [],
      incomplete: false,
    });
  });

  it('names the line that is wrong', () => {
    assert.throws(() => parsePolicyFile('/p', `\n{"user":1}`), {
      message: 'error reading policy file /p, line 2: {"user":1}: user is not a string',
    });
    assert.throws(() => parsePolicyFile('/p', '{"apiVersion":"v9","kind":"Policy"}'), {
      message:
        'error reading policy file /p, line 1: {"apiVersion":"v9","kind":"Policy"}: no kind "Policy" is registered for version "v9"',
    });
  });
});
