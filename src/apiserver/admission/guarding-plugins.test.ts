import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';

import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { createRbacAuthorizer } from '../authz/rbac/rbac-authorizer.ts';
import {
  createCertificateApproval,
  createCertificateSigning,
} from './certificates/certificate-approval.ts';
import { createCertificateSubjectRestriction } from './certificates/certificate-subject.ts';
import { requestOrganizations } from './certificates/request-subject.ts';
import { createPersistentVolumeClaimResize } from './claim-resize.ts';
import { admit } from './fake-attributes.ts';
import { createNamespaceLifecycle } from './namespace-lifecycle.ts';
import { createAdmissionPlugins } from './plugin-order.ts';
import { createRoleEscalationCheck } from './role-escalation.ts';

/** Made by openssl for O=dev, O=system:masters, CN=jane. */
const superuserRequest =
  'MIHxMIGYAgEAMDYxDDAKBgNVBAoMA2RldjEXMBUGA1UECgwOc3lzdGVtOm1hc3RlcnMxDTALBgNVBAMMBGphbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATyQGgCAGmQ8KiWNUXaoO6ijXiD5usGwKhM7KHoG8niYOgStMipVn6CjEzMYYO6ActwPJ0gRacDMjmsbDadcGdGoAAwCgYIKoZIzj0EAwIDSAAwRQIgRaCRNJANpaLU5pP0CSmlG2GvUchNCsVpN0Z2A4akDDICIQDKhepD5rC6EH7K/aq2aB1XJj3744LBrD27PFn9Q3qRBg==';

describe('NamespaceLifecycle', () => {
  const reader = new FakeObjectReader();
  reader.put(resources.namespaces, { metadata: { name: 'here' } });
  reader.put(resources.namespaces, {
    metadata: { name: 'going' },
    status: { phase: 'Terminating' },
  } as never);
  const plugin = createNamespaceLifecycle({ reader });
  const map = (namespace: string) => ({ metadata: { namespace, name: 'c' } });

  it('lets new objects into namespaces that are there', async () => {
    await admit(plugin, { resource: 'configmaps', object: map('here') });
    await assert.rejects(admit(plugin, { resource: 'configmaps', object: map('gone') }), {
      httpCode: 404,
      message: 'namespaces "gone" not found',
    });
  });

  it('lets nothing new into a namespace that is going, but updates', async () => {
    await assert.rejects(admit(plugin, { resource: 'configmaps', object: map('going') }), {
      httpCode: 403,
      message:
        'configmaps "c" is forbidden: unable to create new content in namespace going because it is being terminated',
      details: {
        name: 'c',
        kind: 'configmaps',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace going is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    });
    const object = map('going');
    await admit(plugin, { resource: 'configmaps', object, old: object });
  });

  it('keeps the system namespaces', async () => {
    const old = { metadata: { name: 'kube-system' } };
    await assert.rejects(admit(plugin, { resource: 'namespaces', operation: 'DELETE', old }), {
      message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    });
  });
});

describe('roles and certificates', () => {
  function setUp() {
    const reader = new FakeObjectReader();
    const rule = (name: string, rules: object[]) => {
      reader.put(resources.clusterRoles, { metadata: { name }, rules } as never);
    };
    const bind = (role: string, user: string) =>
      reader.put(resources.clusterRoleBindings, {
        metadata: { name: `${role}-${user}` },
        roleRef: { kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'User', name: user }],
      } as never);
    const rbac = createRbacAuthorizer({ reader });
    return { rule, bind, rbac };
  }
  const jane = { name: 'jane', groups: ['dev'] };
  const group = 'rbac.authorization.k8s.io';
  const pods = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };

  it('let nobody grant what he does not hold', async () => {
    const { rule, bind, rbac } = setUp();
    rule('reader', [pods]);
    bind('reader', 'jane');
    const plugin = createRoleEscalationCheck({ rbac, authorizer: rbac });
    const role = (verbs: string[]) => ({
      metadata: { namespace: 'ns', name: 'r' },
      rules: [{ ...pods, verbs }],
    });
    const resource = `roles.${group}`;
    await admit(plugin, { resource, user: jane, object: role(['get']) });
    const write = { resource, user: jane, object: role(['get', 'delete']) };
    await assert.rejects(admit(plugin, write), {
      httpCode: 403,
      message:
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
    });
    const root = { name: 'root', groups: ['system:masters'] };
    await admit(plugin, { ...write, user: root });
    rule('escalator', [{ verbs: ['escalate'], apiGroups: [group], resources: ['roles'] }]);
    bind('escalator', 'jane');
    await admit(plugin, write);
  });

  it('let nobody bind a role that he does not hold, but with the verb bind', async () => {
    const { rule, bind, rbac } = setUp();
    rule('admin', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]);
    const plugin = createRoleEscalationCheck({ rbac, authorizer: rbac });
    const binding = (name: string) => ({
      metadata: { name: 'b' },
      roleRef: { kind: 'ClusterRole', name },
      subjects: [],
    });
    const resource = `clusterrolebindings.${group}`;
    const write = { resource, user: jane, object: binding('admin') };
    await assert.rejects(admit(plugin, write), { httpCode: 403 });
    await assert.rejects(admit(plugin, { ...write, object: binding('none') }), {
      httpCode: 404,
      message: 'clusterroles.rbac.authorization.k8s.io "none" not found',
    });
    const onlyAdmin = { resourceNames: ['admin'], resources: ['clusterroles'] };
    rule('binder', [{ verbs: ['bind'], apiGroups: [group], ...onlyAdmin }]);
    bind('binder', 'jane');
    await admit(plugin, write);
  });

  it('let the garbage collector change owners', async () => {
    const { rbac } = setUp();
    const plugin = createRoleEscalationCheck({ rbac, authorizer: rbac });
    const role = (finalizers: string[]) => ({
      metadata: { namespace: 'ns', name: 'r', finalizers },
      rules: [pods],
    });
    const resource = `roles.${group}`;
    await admit(plugin, { resource, user: jane, object: role([]), old: role(['x']) });
  });

  it('need the verbs approve and sign on the signer', async () => {
    const { rule, bind, rbac } = setUp();
    const request = (more: object = {}) => ({
      metadata: { name: 'c' },
      spec: { signerName: 'acme.com/client' },
      ...more,
    });
    const resource = 'certificatesigningrequests.certificates.k8s.io';
    const approval = { resource: `${resource}/approval`, user: jane, old: request() };
    const approve = createCertificateApproval({ authorizer: rbac });
    await assert.rejects(admit(approve, { ...approval, object: request() }), {
      message: /user not permitted to approve requests with signerName "acme.com\/client"$/,
    });
    const signing = { resource: `${resource}/status`, user: jane, old: request() };
    const sign = createCertificateSigning({ authorizer: rbac });
    await admit(sign, { ...signing, object: request() });
    const signed = request({ status: { certificate: 'x' } });
    await assert.rejects(admit(sign, { ...signing, object: signed }), {
      message: /user not permitted to sign requests with signerName "acme.com\/client"$/,
    });
    const resourceNames = ['acme.com/*'];
    rule('signer', [
      {
        verbs: ['approve', 'sign'],
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        resourceNames,
      },
    ]);
    bind('signer', 'jane');
    await admit(approve, { ...approval, object: request() });
    await admit(sign, { ...signing, object: signed });
  });

  it('let nobody ask for a certificate of a superuser', async () => {
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${superuserRequest}\n-----END CERTIFICATE REQUEST-----`;
    assert.deepEqual(requestOrganizations(pem), ['dev', 'system:masters']);
    assert.throws(() => requestOrganizations('nothing'));
    const plugin = createCertificateSubjectRestriction();
    const request = Buffer.from(pem).toString('base64');
    const signerName = 'kubernetes.io/kube-apiserver-client';
    const object = { metadata: { name: 'c' }, spec: { signerName, request } };
    const resource = 'certificatesigningrequests.certificates.k8s.io';
    await assert.rejects(admit(plugin, { resource, object }), {
      message:
        /use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed$/,
    });
  });
});

describe('the rest', () => {
  it('lets only bound claims of an expandable class grow', async () => {
    const reader = new FakeObjectReader();
    const plugin = createPersistentVolumeClaimResize({ reader });
    const claim = (storage: string, phase = 'Bound') => ({
      metadata: { namespace: 'ns', name: 'd' },
      spec: { storageClassName: 'fast', resources: { requests: { storage } } },
      status: { phase },
    });
    const resource = 'persistentvolumeclaims';
    const grow = { resource, object: claim('2Gi'), old: claim('1Gi') };
    await assert.rejects(admit(plugin, grow), { message: /only dynamically provisioned pvc/ });
    await assert.rejects(admit(plugin, { ...grow, old: claim('1Gi', 'Pending') }), {
      message: /Only bound persistent volume claims can be expanded$/,
    });
    await admit(plugin, { resource, object: claim('1Gi'), old: claim('1024Mi') });
    reader.put(resources.storageClasses, {
      metadata: { name: 'fast' },
      allowVolumeExpansion: true,
    } as never);
    await admit(plugin, grow);
  });

  it('is asked in the order of upstream, what is off left out', () => {
    const reader = new FakeObjectReader();
    const rbac = createRbacAuthorizer({ reader });
    const names = (more: { enable?: string[]; disable?: string[] } = {}) =>
      createAdmissionPlugins({
        reader,
        rbac,
        authorizer: rbac,
        clock: new FakeClock(),
        random: seededRandom(1),
        resources: () => [],
        quotaWriter: { updateUsed: async () => undefined },
        ...more,
      }).map((plugin) => plugin.name);
    assert.deepEqual(names().slice(0, 5), [
      'RoleEscalationCheck',
      'NamespaceLifecycle',
      'LimitRanger',
      'ServiceAccount',
      'NodeRestriction',
    ]);
    assert.equal(names().at(-1), 'ResourceQuota');
    const changed = names({ enable: ['AlwaysPullImages'], disable: ['LimitRanger'] });
    assert.ok(changed.includes('AlwaysPullImages') && !changed.includes('LimitRanger'));
  });
});
