import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { resources } from '#client/mod.ts';

import type { ResourceAttributes } from '../authorizer.ts';
import { FakeObjectReader } from '../fake-object-reader.ts';
import { createNodeAuthorizer } from './node-authorizer.ts';

function setUp() {
  const reader = new FakeObjectReader();
  const nodeRules = [{ verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['services'] }];
  const authorizer = createNodeAuthorizer({ reader, nodeRules });
  const decide = (more: Partial<ResourceAttributes>, node = 'n1'): string => {
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
    const user = { name: `system:node:${node}`, groups: ['system:nodes'] };
    const verdict = authorizer.decide({ user, resource, path: '', verb: resource.verb });
    return verdict.decision === 'allow' ? 'allow' : verdict.reason;
  };
  return { reader, authorizer, decide };
}

const pod = (more: object = {}, node = 'n1', name = 'web'): never =>
  ({
    metadata: { namespace: 'ns', name, uid: name },
    spec: { nodeName: node, serviceAccountName: 'app', containers: [], ...more },
  }) as never;

const unrelated = "no relationship found between node 'n1' and this object";

describe('the node authorizer', () => {
  it('has no opinion on users that are no nodes', () => {
    const { authorizer } = setUp();
    const user = { name: 'system:node:n1', groups: [] };
    assert.deepEqual(authorizer.decide({ user, path: '/x', verb: 'get' }), {
      decision: 'no-opinion',
      reason: '',
    });
  });

  it('opens secrets and config maps of pods on the node, while they are there', () => {
    const { reader, decide } = setUp();
    const secret = { resource: 'secrets', namespace: 'ns', name: 's' };
    assert.equal(decide(secret), unrelated);
    const spec = {
      volumes: [{ name: 'v', secret: { secretName: 's' } }],
      containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'c1' } }] }],
      imagePullSecrets: [{ name: 'pull' }],
    };
    reader.put(resources.pods, pod(spec), pod(spec, 'n1', 'web2'));
    assert.equal(decide(secret), 'allow');
    assert.equal(decide({ ...secret, verb: 'watch' }), 'allow');
    assert.equal(decide({ ...secret, name: 'pull' }), 'allow');
    assert.equal(decide({ ...secret, resource: 'configmaps', name: 'c1' }), 'allow');
    assert.equal(decide({ ...secret, namespace: 'other' }), unrelated);
    assert.equal(decide(secret, 'n2'), unrelated.replace('n1', 'n2'));
    assert.equal(decide({ ...secret, verb: 'list', name: '' }), 'No Object name found');
    assert.equal(decide({ ...secret, verb: 'delete' }), 'can only read resources of this type');
    reader.remove(resources.pods, 'ns', 'web');
    assert.equal(decide(secret), 'allow', 'the other pod still needs it');
    reader.remove(resources.pods, 'ns', 'web2');
    assert.equal(decide(secret), unrelated);
  });

  it('opens nothing for a mirror pod', () => {
    const { reader, decide } = setUp();
    const mirror = pod({ imagePullSecrets: [{ name: 's' }] }) as {
      metadata: { annotations?: object; name: string };
    };
    mirror.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' };
    reader.put(resources.pods, mirror as never);
    assert.equal(decide({ resource: 'secrets', namespace: 'ns', name: 's' }), unrelated);
  });

  it('follows claims to volumes and their secrets', () => {
    const { reader, decide } = setUp();
    reader.put(
      resources.pods,
      pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
    );
    reader.put(resources.persistentVolumes, {
      metadata: { name: 'pv1' },
      spec: {
        claimRef: { namespace: 'ns', name: 'data' },
        csi: { nodeStageSecretRef: { namespace: 'store', name: 'key' } },
      },
    } as never);
    const claim = { resource: 'persistentvolumeclaims', namespace: 'ns', name: 'data' };
    assert.equal(decide(claim), 'allow');
    assert.equal(decide({ ...claim, subresource: 'status', verb: 'patch' }), 'allow');
    assert.equal(decide({ resource: 'persistentvolumes', name: 'pv1' }), 'allow');
    assert.equal(decide({ resource: 'persistentvolumes', name: 'pv2' }), unrelated);
    assert.equal(decide({ resource: 'secrets', namespace: 'store', name: 'key' }), 'allow');
  });

  it('opens claims of devices, also those made for extended resources', () => {
    const { reader, decide } = setUp();
    const asked = { group: 'resource.k8s.io', resource: 'resourceclaims', namespace: 'ns' };
    const put = (status: object): void => {
      const claims = { resourceClaims: [{ name: 'a', resourceClaimTemplateName: 't' }] };
      reader.put(resources.pods, { ...(pod(claims) as object), status } as never);
    };
    put({});
    assert.equal(decide({ ...asked, name: 'web-a' }), unrelated);
    put({ resourceClaimStatuses: [{ name: 'a', resourceClaimName: 'web-a' }] });
    assert.equal(decide({ ...asked, name: 'web-a' }), 'allow');
    put({ extendedResourceClaimStatus: { resourceClaimName: 'web-gpu' } });
    assert.equal(decide({ ...asked, name: 'web-gpu' }), 'allow');
    assert.equal(decide({ ...asked, name: 'web-a' }), unrelated);
    assert.equal(
      decide({ ...asked, name: 'web-gpu', verb: 'list' }),
      'can only get individual resources of this type',
    );
  });

  it('opens attachments and slices that name the node', () => {
    const { reader, decide } = setUp();
    for (const [group, resource] of [
      ['storage.k8s.io', 'volumeattachments'],
      ['resource.k8s.io', 'resourceslices'],
    ] as const) {
      const kind = { group, version: 'v1', resource };
      for (const nodeName of ['n1', 'n2']) {
        reader.put(kind, { metadata: { name: `of-${nodeName}` }, spec: { nodeName } } as never);
      }
      assert.equal(decide({ group, resource, name: 'of-n1' }), 'allow');
      assert.equal(decide({ group, resource, name: 'of-n2' }), unrelated);
    }
  });

  it('allows tokens of accounts whose pods run on the node', () => {
    const { reader, decide } = setUp();
    reader.put(resources.pods, pod());
    const token = {
      resource: 'serviceaccounts',
      subresource: 'token',
      verb: 'create',
      namespace: 'ns',
      name: 'app',
    };
    assert.equal(decide(token), 'allow');
    assert.equal(decide({ ...token, name: 'other' }), unrelated);
    assert.equal(
      decide({ ...token, verb: 'list', subresource: '' }),
      'can only create tokens for individual service accounts',
    );
  });

  const table: [string, Partial<ResourceAttributes>, string][] = [
    ['own Node', { resource: 'nodes', name: 'n1' }, 'allow'],
    [
      'another Node',
      { resource: 'nodes', name: 'n2' },
      "node 'n1' cannot read 'n2', only its own Node object",
    ],
    [
      'all Nodes',
      { resource: 'nodes', verb: 'list' },
      "node 'n1' cannot read all nodes, only its own Node object",
    ],
    [
      'own Node by selector',
      { resource: 'nodes', verb: 'watch', fieldSelector: 'metadata.name=n1' },
      'allow',
    ],
    ['own status', { resource: 'nodes', subresource: 'status', verb: 'patch' }, 'allow'],
    ['its pods', { verb: 'list', fieldSelector: 'spec.nodeName=n1' }, 'allow'],
    ['all pods', { verb: 'list' }, 'can only list/watch pods with spec.nodeName field selector'],
    [
      'all pods, its name within another value',
      { verb: 'list', fieldSelector: String.raw`status.phase!=x\,spec.nodeName=n1` },
      'can only list/watch pods with spec.nodeName field selector',
    ],
    [
      'its pods that run, in another order',
      { verb: 'list', fieldSelector: 'status.phase=Running,spec.nodeName==n1' },
      'allow',
    ],
    [
      'pods by a selector that cannot be read',
      { verb: 'list', fieldSelector: 'spec.nodeName=n1,oops' },
      'can only list/watch pods with spec.nodeName field selector',
    ],
    ['pod status', { subresource: 'status', verb: 'patch', name: 'x' }, 'allow'],
    ['exec into pods', { subresource: 'exec', verb: 'create', name: 'x' }, ''],
    [
      'own lease',
      {
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'kube-node-lease',
        name: 'n1',
        verb: 'update',
      },
      'allow',
    ],
    [
      'lease of another node',
      {
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'kube-node-lease',
        name: 'n2',
        verb: 'update',
      },
      'can only access node lease with the same name as the requesting node',
    ],
    [
      'lease elsewhere',
      { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-system', name: 'n1' },
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    [
      'own CSINode',
      { group: 'storage.k8s.io', resource: 'csinodes', name: 'n1', verb: 'patch' },
      'allow',
    ],
    ['services by the fixed rules', { resource: 'services', verb: 'list' }, 'allow'],
    ['deleting services', { resource: 'services', verb: 'delete' }, ''],
  ];
  for (const [name, asked, expected] of table) {
    it(`answers for ${name}`, () => assert.equal(setUp().decide(asked), expected));
  }
});
