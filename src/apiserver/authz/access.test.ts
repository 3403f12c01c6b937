import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import type { Client } from '#client/mod.ts';
import { resources } from '#client/mod.ts';
import { createRsaKey, createServiceAccountTokens } from '#pki/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Pod, Service } from '#schema/types.ts';
import type { Backend } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';

import { createAdmissionPlugins } from '../admission/mod.ts';
import { createServiceAllocation } from '../allocators/mod.ts';
import {
  createServiceAccountTokenAuthenticator,
  createTokenRequestHandler,
  createUnionAuthenticator,
} from '../authn/mod.ts';
import { bootstrapCluster, defaultNodeRules } from '../bootstrap/mod.ts';
import { AdmissionChain } from '../pipeline/admission-chain.ts';
import type { ApiServer, ApiServerExtensions, ApiServerParts } from '../server.ts';
import { createApiServer } from '../server.ts';
import {
  createNodeAuthorizer,
  createRbacAuthorizer,
  createReviewHandlers,
  createSuperuserAuthorizer,
  createUnionAuthorizer,
} from './mod.ts';

const root = { name: 'root', groups: ['system:masters', 'system:authenticated'] };
const issuer = 'https://kubernetes.default.svc.cluster.local';
const audiences = [issuer];

let server: ApiServer;
let backend: Backend;
let admin: Client;

/** The server's real access rules, put together as the composition does it. */
function extend(parts: ApiServerParts, keys: string): ApiServerExtensions {
  const tokens = createServiceAccountTokens(keys);
  const common = { reader: parts.reader, clock: systemClock, random: systemRandom };
  const rbac = createRbacAuthorizer(common);
  const node = createNodeAuthorizer({ ...common, nodeRules: defaultNodeRules() });
  const authorizer = createUnionAuthorizer({
    authorizers: [createSuperuserAuthorizer(), node, rbac],
  });
  const accountTokens = createServiceAccountTokenAuthenticator({
    ...common,
    verifier: tokens,
    issuers: [issuer],
    audiences,
  });
  const authenticator = createUnionAuthenticator({
    authenticators: [accountTokens],
    anonymous: false,
    log: silentLogger,
  });
  const admissionPlugins = createAdmissionPlugins({
    ...common,
    authorizer,
    rbac,
    resources: () => parts.registry.all(),
    quotaWriter: { updateUsed: async () => undefined },
  });
  const services = createServiceAllocation({
    ...common,
    client: parts.client(root, 'test'),
    backend,
    log: silentLogger,
    serviceCidrs: ['10.43.0.0/16'],
  });
  const token = createTokenRequestHandler({
    ...common,
    signer: tokens,
    issuer,
    audiences,
    admission: new AdmissionChain(admissionPlugins),
  });
  const reviews = createReviewHandlers({
    authorizer,
    audiences,
    tokens: accountTokens,
  });
  return {
    authenticator,
    authorizer,
    admissionPlugins,
    kindHooks: { services: services.hooks },
    virtualResources: new Map([...reviews, ['serviceaccounts/token', token]]),
  };
}

before(async () => {
  backend = await openBackend({
    clock: systemClock,
    log: silentLogger,
    endpoint: 'memory://',
    dataDir: '',
    previousOf: () => undefined,
  });
  const keys = await createRsaKey();
  server = createApiServer({
    backend,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    extend: (parts) => extend(parts, keys),
  });
  await server.start();
  admin = server.client(root, 'test');
  await bootstrapCluster({
    client: admin,
    log: silentLogger,
    trust: { clientCa: 'CA', requestHeaderCa: 'RH', requestHeaderAllowedNames: [] },
    serviceCidrs: ['10.43.0.0/16'],
    port: 6443,
    addresses: ['192.0.2.1'],
  });
});

after(async () => {
  await server.close();
  await backend.close();
});

const at = { namespace: 'default' };
const as = (name: string, ...groups: string[]): Client =>
  server.client({ name, groups: [...groups, 'system:authenticated'] }, 'test');
const object = (name: string, more: object = {}): KubeObject => ({ metadata: { name }, ...more });

describe('a server with its access rules', () => {
  it('starts twice without writing twice', async () => {
    const revision = backend.currentRevision;
    await bootstrapCluster({
      client: admin,
      log: silentLogger,
      trust: { clientCa: 'CA', requestHeaderCa: 'RH', requestHeaderAllowedNames: [] },
      serviceCidrs: ['10.43.0.0/16'],
      port: 6443,
      addresses: ['192.0.2.1'],
    });
    assert.equal(backend.currentRevision, revision);
  });

  it('knows the default roles, and new ones at once', async () => {
    const scheduler = as('system:kube-scheduler');
    await scheduler.list(resources.nodes);
    const jane = as('jane');
    const refused = {
      message:
        'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
    };
    await assert.rejects(jane.list(resources.configMaps, at), refused);
    const binding = {
      ...object('jane-views'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
    };
    await admin.create(resources.roleBindings, binding, at);
    await jane.list(resources.configMaps, at);
    await admin.delete(resources.roleBindings, 'jane-views', at);
    await assert.rejects(jane.list(resources.configMaps, at), refused);
  });

  it('lets nobody grant more than he has', async () => {
    const binding = {
      ...object('owner'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      subjects: [{ kind: 'User', name: 'owner', apiGroup: 'rbac.authorization.k8s.io' }],
    };
    await admin.create(resources.roleBindings, binding, at);
    const more = {
      ...object('more'),
      rules: [{ verbs: ['get'], apiGroups: [''], resources: ['nodes'] }],
    };
    await assert.rejects(as('owner').create(resources.roles, more, at), {
      message: /is attempting to grant RBAC permissions not currently held:/,
    });
  });

  it('runs a pod through admission and gives its node what it needs', async () => {
    await admin.create(resources.serviceAccounts, object('default'), at);
    const nodeClient = as('system:node:n1', 'system:nodes');
    await nodeClient.create(resources.nodes, object('n1'));
    await assert.rejects(nodeClient.create(resources.nodes, object('n2')), {
      message: /node "n1" is not allowed to modify node "n2"$/,
    });
    await admin.create(resources.secrets, object('s'), at);
    const readSecret = () => nodeClient.get(resources.secrets, 's', at);
    await assert.rejects(readSecret(), {
      message: /: no relationship found between node 'n1' and this object$/,
    });
    const spec = {
      nodeName: 'n1',
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'v', secret: { secretName: 's' } }],
    };
    const pod = await admin.create<Pod>(resources.pods, { ...object('web'), spec }, at);
    assert.equal(pod.spec?.serviceAccountName, 'default');
    assert.equal(pod.spec?.priority, 0);
    assert.equal(pod.spec?.tolerations?.length, 2);
    assert.equal(pod.spec?.volumes?.length, 2);
    await readSecret();
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: pod.metadata.uid };
    const asked = { ...object('default'), spec: { boundObjectRef, expirationSeconds: 3607 } };
    const made = (await nodeClient.create(resources.serviceAccounts, asked, {
      ...at,
      name: 'default',
      subresource: 'token',
    })) as KubeObject & { status?: { token?: string } };
    const review = (await admin.create(resources.tokenReviews, {
      ...object(''),
      spec: { token: made.status?.token },
    } as KubeObject)) as KubeObject & { status?: { user?: { username?: string } } };
    assert.equal(review.status?.user?.username, 'system:serviceaccount:default:default');
  });

  it('gives services addresses, and takes them back', async () => {
    const kubernetes = await admin.get<Service>(resources.services, 'kubernetes', at);
    assert.equal(kubernetes.spec?.clusterIP, '10.43.0.1');
    const service = (name: string): Service => ({
      ...object(name),
      spec: { clusterIP: '10.43.0.50', ports: [{ port: 80 }] },
    });
    await admin.create(resources.services, service('a'), at);
    await assert.rejects(admin.create(resources.services, service('b'), at), {
      message: /failed to allocate IP 10.43.0.50: provided IP is already allocated$/,
    });
    await admin.delete(resources.services, 'a', at);
    await admin.create(resources.services, service('b'), at);
  });
});
