import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { resources } from '#client/mod.ts';

import { FakeObjectReader } from '../../authz/fake-object-reader.ts';
import { admit } from '../fake-attributes.ts';
import type { FakeWrite } from '../fake-attributes.ts';
import { createNodeRestriction } from './node-restriction.ts';

/** Made by openssl for O=system:nodes, CN=system:node:n1. */
const nodeRequest =
  'MIHsMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lzdGVtOm5vZGU6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQF1Wnu+PHMXdoDBV6GfGO51wwpA9PASj7Wl9EArYzuozzu64lTKN8/tQR5vCuow3iLmOkmr+4llKPcmSlKyF2joAAwCgYIKoZIzj0EAwIDSQAwRgIhAOSv4IcD6TfADQ3aK/piRkLogGvTpm5kryhpqZAlL8NsAiEA3zb1gKqYhJnhWYh1kBP8p75KZtro16sP5i965Hi8JN0=';

describe('NodeRestriction', () => {
  const reader = new FakeObjectReader();
  reader.put(resources.nodes, { metadata: { name: 'n1', uid: 'u1' } });
  reader.put(resources.pods, {
    metadata: { namespace: 'ns', name: 'mine', uid: 'p1' },
    spec: { nodeName: 'n1' },
  } as never);
  reader.put(resources.pods, {
    metadata: { namespace: 'ns', name: 'other', uid: 'p2' },
    spec: { nodeName: 'n2' },
  } as never);
  const plugin = createNodeRestriction({ reader });
  const user = { name: 'system:node:n1', groups: ['system:nodes'] };
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true };
  const mirror = (more: object = {}, metadata: object = {}) => ({
    metadata: {
      namespace: 'ns',
      name: 'static',
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [owner],
      ...metadata,
    },
    spec: { nodeName: 'n1', containers: [], ...more },
  });
  const node = (name: string, labels: object = {}, spec: object = {}) => ({
    metadata: { name, labels },
    spec,
  });
  const pod = (name: string, nodeName: string) => ({
    metadata: { namespace: 'ns', name },
    spec: { nodeName },
  });
  const token = (boundObjectRef?: object) => ({
    metadata: { namespace: 'ns', name: 'app' },
    spec: { boundObjectRef },
  });
  const reference = { apiVersion: 'v1', kind: 'Pod', name: 'mine', uid: 'p1' };
  const volume = (more: object) => mirror({ volumes: [{ name: 'v', ...more }] });
  const projected = (source: object) => volume({ projected: { sources: [source] } });
  const claim = (status: object, spec: object = {}, metadata: object = {}) => ({
    metadata: { namespace: 'ns', name: 'data', ...metadata },
    spec,
    status,
  });
  const slice = (nodeName?: string) => ({ metadata: { name: 's' }, spec: { nodeName } });
  const signing = (signerName: string, request: string) => ({
    metadata: { name: 'c' },
    spec: {
      signerName,
      request: Buffer.from(
        `-----BEGIN CERTIFICATE REQUEST-----\n${request}\n-----END CERTIFICATE REQUEST-----`,
      ).toString('base64'),
    },
  });
  const slices = 'resourceslices.resource.k8s.io';
  const requests = 'certificatesigningrequests.certificates.k8s.io';
  const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet';

  const cases: [string, FakeWrite, RegExp | undefined][] = [
    ['own Node', { resource: 'nodes', object: node('n1') }, undefined],
    [
      'another Node',
      { resource: 'nodes', object: node('n2') },
      /node "n1" is not allowed to modify node "n2"$/,
    ],
    [
      'free labels',
      {
        resource: 'nodes',
        object: node('n1', {
          'kubernetes.io/os': 'linux',
          'node.kubernetes.io/x': '1',
          'acme.com/a': 'b',
        }),
      },
      undefined,
    ],
    [
      'labels that look like those of a kubelet',
      {
        resource: 'nodes',
        object: node('n1', {
          'beta.kubernetes.io/instance-type': 'a',
          'kubernetes.io/instance-type': 'a',
          'failure-domain.kubernetes.io/zone': 'a',
        }),
      },
      /set the following labels: failure-domain.kubernetes.io\/zone, kubernetes.io\/instance-type$/,
    ],
    [
      'labels that draw workloads',
      {
        resource: 'nodes',
        object: node('n1', {
          'node-role.kubernetes.io/master': '',
          'node-restriction.kubernetes.io/a': 'b',
        }),
      },
      /not allowed to set the following labels: node-restriction.kubernetes.io\/a, node-role.kubernetes.io\/master$/,
    ],
    [
      'changed labels',
      { resource: 'nodes', object: node('n1', { 'x.k8s.io/a': 'b' }), old: node('n1') },
      /is not allowed to modify labels: x.k8s.io\/a$/,
    ],
    [
      'taints',
      {
        resource: 'nodes/status',
        object: node('n1'),
        old: node('n1', {}, { taints: [{ key: 'a', effect: 'NoSchedule' }] }),
      },
      /node "n1" is not allowed to modify taints$/,
    ],
    ['a mirror pod', { resource: 'pods', object: mirror() }, undefined],
    [
      'a plain pod',
      { resource: 'pods', object: mirror({}, { annotations: {} }) },
      /pod does not have "kubernetes.io\/config.mirror" annotation, node "n1" can only create mirror pods$/,
    ],
    [
      'a mirror pod elsewhere',
      { resource: 'pods', object: mirror({ nodeName: 'n2' }) },
      /can only create pods with spec.nodeName set to itself$/,
    ],
    [
      'a mirror pod without its owner',
      { resource: 'pods', object: mirror({}, { ownerReferences: [] }) },
      /can only create pods with an owner reference set to itself$/,
    ],
    [
      'a mirror pod with a secret',
      { resource: 'pods', object: mirror({ imagePullSecrets: [{ name: 's' }] }) },
      /node "n1" can not create pods that reference secrets$/,
    ],
    [
      'status of its pod',
      { resource: 'pods/status', object: pod('mine', 'n1'), old: pod('mine', 'n1') },
      undefined,
    ],
    [
      'status of a pod elsewhere',
      { resource: 'pods/status', object: pod('other', 'n2'), old: pod('other', 'n2') },
      /can only update pod status for pods with spec.nodeName set to itself$/,
    ],
    [
      'deleting a pod elsewhere',
      { resource: 'pods', operation: 'DELETE', old: pod('other', 'n2') },
      /node "n1" can only delete pods with spec.nodeName set to itself$/,
    ],
    ['evicting its pod', { resource: 'pods/eviction', object: pod('mine', 'n1') }, undefined],
    [
      'a token of its pod',
      { resource: 'serviceaccounts/token', object: token(reference) },
      undefined,
    ],
    [
      'a token of nothing',
      { resource: 'serviceaccounts/token', object: token() },
      /node requested token not bound to a pod$/,
    ],
    [
      'a token of a pod elsewhere',
      {
        resource: 'serviceaccounts/token',
        object: token({ ...reference, name: 'other', uid: 'p2' }),
      },
      /node requested token bound to a pod scheduled on a different node$/,
    ],
    [
      'a lease of another node',
      {
        resource: 'leases.coordination.k8s.io',
        object: { metadata: { namespace: 'kube-node-lease', name: 'n2' } },
      },
      /can only access node lease with the same name as the requesting node$/,
    ],
    [
      'the spec of a claim',
      { resource: 'persistentvolumeclaims', object: pod('a', ''), old: pod('a', '') },
      /may only update PVC status$/,
    ],
    [
      'a mirror pod with two owners',
      { resource: 'pods', object: mirror({}, { ownerReferences: [owner, owner] }) },
      /can only create pods with a single owner reference set to itself$/,
    ],
    [
      'a mirror pod that its owner does not control',
      {
        resource: 'pods',
        object: mirror({}, { ownerReferences: [{ ...owner, controller: false }] }),
      },
      /can only create pods with a controller owner reference set to itself$/,
    ],
    [
      'a mirror pod that blocks its owner',
      {
        resource: 'pods',
        object: mirror({}, { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }),
      },
      /node "n1" must not set blockOwnerDeletion on an owner reference$/,
    ],
    [
      'a mirror pod of a Node that was',
      { resource: 'pods', object: mirror({}, { ownerReferences: [{ ...owner, uid: 'u0' }] }) },
      /node n1 UID mismatch: expected u0 got u1$/,
    ],
    [
      'a mirror pod with an account',
      { resource: 'pods', object: mirror({ serviceAccountName: 'app' }) },
      /node "n1" can not create pods that reference serviceaccounts$/,
    ],
    [
      'a mirror pod with devices',
      { resource: 'pods', object: mirror({ resourceClaims: [{ name: 'a' }] }) },
      /can not create pods that reference resourceclaims$/,
    ],
    [
      'a mirror pod with a volume of a driver',
      { resource: 'pods', object: volume({ csi: { driver: 'd' } }) },
      /can not create pods that reference csidrivers \(via CSI volumes\)$/,
    ],
    [
      'a mirror pod with a claim',
      { resource: 'pods', object: volume({ persistentVolumeClaim: { claimName: 'd' } }) },
      /can not create pods that reference persistentvolumeclaims$/,
    ],
    [
      'a mirror pod with a claim of its own',
      { resource: 'pods', object: volume({ ephemeral: {} }) },
      /can not create pods that reference persistentvolumeclaims \(via ephemeral volumes\)$/,
    ],
    [
      'a mirror pod with a token',
      { resource: 'pods', object: projected({ serviceAccountToken: { path: 't' } }) },
      /can not create pods that reference serviceaccounts \(via projected volumes\)$/,
    ],
    [
      'a mirror pod with a trust bundle',
      { resource: 'pods', object: projected({ clusterTrustBundle: { path: 't' } }) },
      /can not create pods that reference clustertrustbundles$/,
    ],
    [
      'a mirror pod with a source of no known kind',
      { resource: 'pods', object: projected({ newest: {} }) },
      /error checking mirror pod for API references: unknown source for projected volume "v"$/,
    ],
    [
      'a mirror pod with a volume of no known kind',
      { resource: 'pods', object: volume({ newest: {} }) },
      /error checking mirror pod for API references: unknown volume type for volume {2}"v"$/,
    ],
    [
      'a mirror pod with a directory',
      { resource: 'pods', object: volume({ emptyDir: {} }) },
      undefined,
    ],
    [
      'updating a pod',
      { resource: 'pods', object: mirror(), old: mirror() },
      /unexpected operation "UPDATE", node "n1" can only create and delete mirror pods$/,
    ],
    [
      'another subresource of a pod',
      { resource: 'pods/binding', object: pod('mine', 'n1') },
      /unexpected pod subresource "binding", only 'status' and 'eviction' are allowed$/,
    ],
    [
      'labels through the status of a pod',
      {
        resource: 'pods/status',
        object: {
          ...pod('mine', 'n1'),
          metadata: { namespace: 'ns', name: 'mine', labels: { a: 'b' } },
        },
        old: pod('mine', 'n1'),
      },
      /node "n1" cannot update labels through pod status$/,
    ],
    [
      'claims of devices through the status of a pod',
      {
        resource: 'pods/status',
        object: { ...pod('mine', 'n1'), status: { resourceClaimStatuses: [{ name: 'a' }] } },
        old: pod('mine', 'n1'),
      },
      /node "n1" cannot update resource claim statues$/,
    ],
    [
      'the claim of extended resources through the status of a pod',
      {
        resource: 'pods/status',
        object: {
          ...pod('mine', 'n1'),
          status: { extendedResourceClaimStatus: { resourceClaimName: 'theirs' } },
        },
        old: pod('mine', 'n1'),
      },
      /node "n1" cannot update extended resource claim status$/,
    ],
    [
      'evicting a pod elsewhere',
      { resource: 'pods/eviction', object: pod('other', 'n2') },
      /node n1 can only evict pods with spec.nodeName set to itself$/,
    ],
    [
      'its owners',
      {
        resource: 'nodes',
        object: { metadata: { name: 'n1', ownerReferences: [owner] } },
        old: node('n1'),
      },
      /node "n1" is not allowed to modify ownerReferences$/,
    ],
    [
      'a token of a pod without its uid',
      { resource: 'serviceaccounts/token', object: token({ ...reference, uid: undefined }) },
      /node requested token with a pod binding without a uid$/,
    ],
    [
      'a token of a pod that was',
      { resource: 'serviceaccounts/token', object: token({ ...reference, uid: 'p0' }) },
      /the UID in the bound object reference \(p0\) does not match the UID in record. The object might have been deleted and then recreated$/,
    ],
    [
      'the size of a claim',
      {
        resource: 'persistentvolumeclaims/status',
        object: claim({ capacity: { storage: '2Gi' }, allocatedResources: { storage: '2Gi' } }),
        old: claim({}, {}, { resourceVersion: '1' }),
      },
      undefined,
    ],
    [
      'the phase of a claim',
      {
        resource: 'persistentvolumeclaims/status',
        object: claim({ phase: 'Lost' }),
        old: claim({ phase: 'Bound' }),
      },
      /node "n1" is not allowed to update fields other than status.quantity and status.conditions/,
    ],
    [
      'a lease of another namespace',
      {
        resource: 'leases.coordination.k8s.io',
        object: { metadata: { namespace: 'kube-system', name: 'n1' } },
      },
      /can only access leases in the "kube-node-lease" system namespace$/,
    ],
    [
      'a CSINode of another node',
      { resource: 'csinodes.storage.k8s.io', object: { metadata: { name: 'n2' } } },
      /can only access CSINode with the same name as the requesting node$/,
    ],
    ['a slice of its own', { resource: slices, object: slice('n1') }, undefined],
    [
      'a slice of another node',
      { resource: slices, object: slice('n2') },
      /can only create ResourceSlice with the same NodeName as the requesting node$/,
    ],
    [
      'deleting a slice of all nodes',
      { resource: slices, operation: 'DELETE', old: slice() },
      /can only delete ResourceSlice with the same NodeName as the requesting node$/,
    ],
    [
      'updating a slice, which the authorizer decides',
      { resource: slices, object: slice('n2'), old: slice('n2') },
      undefined,
    ],
    [
      'a request for itself',
      { resource: requests, object: signing(kubelet, nodeRequest) },
      undefined,
    ],
    [
      'a request for another node',
      {
        resource: requests,
        object: signing(kubelet, nodeRequest),
        user: { name: 'system:node:n2', groups: ['system:nodes'] },
      },
      /can only create a node CSR with CN=system:node:n2$/,
    ],
    [
      'a request that cannot be read',
      { resource: requests, object: signing('kubernetes.io/kubelet-serving', 'AAAA') },
      /unable to parse csr: /,
    ],
    [
      'a request to another signer',
      { resource: requests, object: signing('acme.com/signer', 'AAAA') },
      undefined,
    ],
    [
      'a node without a name',
      {
        resource: 'nodes',
        object: node('n1'),
        user: { name: 'system:node:', groups: ['system:nodes'] },
      },
      /could not determine node from user "system:node:"$/,
    ],
  ];
  for (const [name, write, expected] of cases) {
    it(`answers for ${name}`, async () => {
      const run = admit(plugin, { user, ...write });
      if (expected === undefined) await run;
      else await assert.rejects(run, { httpCode: 403, message: expected });
    });
  }

  it('answers 404 for pods that are not there', async () => {
    const object = pod('gone', 'n1');
    await assert.rejects(admit(plugin, { user, resource: 'pods/eviction', object }), {
      httpCode: 404,
      message: 'pod "gone" not found',
    });
  });

  it('leaves others alone', async () => {
    await admit(plugin, { resource: 'nodes', object: node('n2') });
  });
});
