import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import type { HookScope } from './kind-hooks.ts';
import { createResourceClaimHooks } from './resource-claim.ts';

const asked: string[] = [];
function hooksAllowing(verb: string) {
  asked.length = 0;
  const { 'resourceclaims.resource.k8s.io': hooks } = createResourceClaimHooks({
    reader: new FakeObjectReader(),
    authorizer: {
      authorize: async ({ resource }) => {
        const { verb: wanted, subresource, namespace, name } = resource ?? {};
        asked.push([wanted, subresource, namespace, name].join('|'));
        return { decision: wanted === verb ? 'allow' : 'no-opinion', reason: '' };
      },
    },
  });
  return hooks;
}

const onNode = (node: string) => ({
  nodeSelector: {
    nodeSelectorTerms: [
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
    ],
  },
});
const claim = (status: object) => ({
  metadata: { name: 'c', namespace: 'ns' },
  spec: {},
  status,
});
const scopeOf = (node: string): HookScope =>
  ({
    subresource: 'status',
    info: { group: 'resource.k8s.io', kind: 'ResourceClaim' },
    context: {
      user: {
        name: 'system:serviceaccount:kube-system:driver',
        groups: [],
        extra: { 'authentication.kubernetes.io/node-name': [node] },
      },
      info: {
        verb: 'patch',
        group: 'resource.k8s.io',
        version: 'v1',
        resource: 'resourceclaims',
        namespace: 'ns',
      },
    },
  }) as never;
const device = (driver: string, data: object = {}) => ({ driver, pool: 'p', device: 'd', data });

test('a driver on the node of the claim is asked for the lesser permission first', async () => {
  const hooks = hooksAllowing('associated-node:patch');
  const before = claim({ allocation: onNode('n1') });
  const after = claim({ allocation: onNode('n1'), devices: [device('b'), device('a')] });
  await hooks?.beforeUpdate?.(after, before, scopeOf('n1'));
  assert.deepEqual(asked, [
    'associated-node:patch|driver|ns|a',
    'associated-node:patch|driver|ns|b',
  ]);
  asked.length = 0;
  await assert.rejects(async () => await hooks?.beforeUpdate?.(after, before, scopeOf('n2')), {
    httpCode: 422,
  });
  assert.deepEqual(asked, ['arbitrary-node:patch|driver|ns|a', 'arbitrary-node:patch|driver|ns|b']);
});

test('only drivers whose devices change are asked for, also of those that go', async () => {
  const hooks = hooksAllowing('arbitrary-node:patch');
  const before = claim({ devices: [device('same'), device('other', { a: 1 }), device('gone')] });
  const after = claim({ devices: [device('same'), device('other', { a: 2 })] });
  await hooks?.beforeUpdate?.(after, before, scopeOf('n1'));
  assert.deepEqual(asked, [
    'arbitrary-node:patch|driver|ns|gone',
    'arbitrary-node:patch|driver|ns|other',
  ]);
});

test('who binds and who frees a claim needs the permission for it', async () => {
  const hooks = hooksAllowing('patch');
  const reserved = claim({ reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] });
  await hooks?.beforeUpdate?.(reserved, claim({}), scopeOf('n1'));
  await hooks?.beforeUpdate?.(claim({}), reserved, scopeOf('n1'));
  await hooks?.beforeUpdate?.(reserved, reserved, scopeOf('n1'));
  assert.deepEqual(asked, ['patch|binding||', 'patch|binding||']);
});
