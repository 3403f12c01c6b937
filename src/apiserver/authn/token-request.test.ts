import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createRsaKey, createServiceAccountTokens } from '#pki/mod.ts';
import type { ServiceAccountTokens } from '#pki/mod.ts';

import { createNodeRestriction } from '../admission/node-restriction/node-restriction.ts';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import type { PathRequest } from '../path-route.ts';
import type { ResourceRequestContext, UserInfo } from '../request.ts';
import { createIssuerRoutes } from './issuer-routes.ts';
import { createServiceAccountTokenAuthenticator } from './service-account-token.ts';
import { createTokenRequestHandler } from './token-request.ts';

const issuer = 'https://kubernetes.default.svc.cluster.local';
const audiences = [issuer, 'k3s'];
let tokens: ServiceAccountTokens;
before(async () => {
  tokens = createServiceAccountTokens(await createRsaKey());
});

function setUp() {
  const reader = new FakeObjectReader();
  const clock = new FakeClock();
  const metadata = (name: string, uid: string) => ({ namespace: 'ns', name, uid });
  reader.put(resources.serviceAccounts, { metadata: metadata('app', 'sa-uid') });
  reader.put(resources.nodes, { metadata: { name: 'n1', uid: 'node-uid' } });
  reader.put(resources.pods, {
    metadata: metadata('web', 'pod-uid'),
    spec: { serviceAccountName: 'app', nodeName: 'n1' },
  } as never);
  const restriction = createNodeRestriction({ reader });
  const handler = createTokenRequestHandler({
    reader,
    clock,
    random: seededRandom(1),
    signer: tokens,
    issuer,
    audiences,
    maxExpirationSeconds: 100_000,
    admission: {
      mutate: async (attributes) => {
        if (restriction.handles(attributes)) await restriction.mutate?.(attributes);
      },
      validate: async () => undefined,
    },
  });
  const warnings = new Set<string>();
  const request = async (
    spec: object,
    user: UserInfo = { name: 'admin', groups: [] },
    name = 'app',
  ) => {
    const context = {
      info: { namespace: 'ns', name },
      resource: { group: '', resource: 'serviceaccounts' },
      query: new URLSearchParams(),
      user,
      warnings,
    } as unknown as ResourceRequestContext;
    const made = await handler({ metadata: {}, spec } as never, context);
    return made['status'] as { token: string; expirationTimestamp: string };
  };
  return { reader, clock, request, warnings };
}

const podReference = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'pod-uid' };

describe('a token request', () => {
  it('is answered with a token that names the account', async () => {
    const { clock, request, reader } = setUp();
    const { token, expirationTimestamp } = await request({});
    assert.equal(expirationTimestamp, '2026-01-01T01:00:00Z');
    const { jti, ...claims } = await tokens.verify(token);
    assert.equal(typeof jti, 'string');
    const seconds = clock.now() / 1000;
    assert.deepEqual(claims, {
      aud: audiences,
      exp: seconds + 3600,
      iat: seconds,
      nbf: seconds,
      iss: issuer,
      sub: 'system:serviceaccount:ns:app',
      'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'app', uid: 'sa-uid' } },
    });
    const authenticator = createServiceAccountTokenAuthenticator({
      clock,
      reader,
      verifier: tokens,
      issuers: [issuer],
      audiences,
    });
    const found = await authenticator.authenticateToken(token);
    assert.equal(found?.user.name, 'system:serviceaccount:ns:app');
  });

  it('ties the token to a pod and its node, and lets such tokens live longer', async () => {
    const { clock, request } = setUp();
    const asked = { boundObjectRef: podReference, expirationSeconds: 3607 };
    const { token, expirationTimestamp } = await request(asked);
    assert.equal(expirationTimestamp, '2026-01-01T01:00:07Z');
    const claims = await tokens.verify(token);
    const seconds = clock.now() / 1000;
    assert.equal(claims.exp, seconds + 365 * 24 * 3600);
    assert.deepEqual(claims['kubernetes.io'], {
      namespace: 'ns',
      node: { name: 'n1', uid: 'node-uid' },
      pod: { name: 'web', uid: 'pod-uid' },
      serviceaccount: { name: 'app', uid: 'sa-uid' },
      warnafter: seconds + 3607,
    });
    const foreign = await request({ ...asked, audiences: ['vault'] });
    assert.equal((await tokens.verify(foreign.token)).exp, seconds + 3607);
  });

  it('cuts what is longer than the server allows, with a warning', async () => {
    const { clock, request, warnings } = setUp();
    const { token } = await request({ expirationSeconds: 200_000 });
    assert.equal((await tokens.verify(token)).exp, clock.now() / 1000 + 100_000);
    assert.deepEqual(
      [...warnings],
      ['requested expiration of 200000 seconds shortened to 100000 seconds'],
    );
  });

  const refusals: [string, object, object][] = [
    [
      'too short a time',
      { expirationSeconds: 599 },
      {
        httpCode: 422,
        message:
          'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
      },
    ],
    ['too long a time', { expirationSeconds: 2 ** 32 + 1 }, { httpCode: 422 }],
    [
      'a pod that is gone',
      { boundObjectRef: { ...podReference, name: 'x' } },
      { httpCode: 404, message: 'pods "x" not found' },
    ],
    [
      'a pod that was made anew',
      { boundObjectRef: { ...podReference, uid: 'old' } },
      {
        httpCode: 409,
        message:
          'Operation cannot be fulfilled on Pod "web": the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
      },
    ],
    [
      'another kind',
      { boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' } },
      { httpCode: 400, message: 'cannot bind token to object of type /v1, Kind=ConfigMap' },
    ],
  ];
  for (const [name, spec, expected] of refusals) {
    it(`is refused for ${name}`, async () => {
      await assert.rejects(setUp().request(spec), expected);
    });
  }

  it('is refused for an account that is not there, or another one than the pod has', async () => {
    const { reader, request } = setUp();
    await assert.rejects(request({}, undefined, 'none'), {
      message: 'serviceaccounts "none" not found',
    });
    reader.put(resources.serviceAccounts, { metadata: { namespace: 'ns', name: 'other' } });
    await assert.rejects(request({ boundObjectRef: podReference }, undefined, 'other'), {
      httpCode: 400,
    });
  });

  it('is refused to a node that does not run the pod', async () => {
    const { request } = setUp();
    const node = (name: string) => ({ name: `system:node:${name}`, groups: ['system:nodes'] });
    await request({ boundObjectRef: podReference }, node('n1'));
    await assert.rejects(request({ boundObjectRef: podReference }, node('n2')), {
      httpCode: 403,
      message:
        'serviceaccounts "app" is forbidden: node requested token bound to a pod scheduled on a different node',
    });
  });
});

it('publishes the issuer and its keys', async () => {
  const routes = createIssuerRoutes({
    issuer,
    jwksUri: 'https://192.0.2.1:6443/openid/v1/jwks',
    keys: tokens.keys,
  });
  const read = async (path: string) => {
    const route = routes.find((candidate) => candidate.path === path);
    const answer = await route?.handle({ method: 'GET' } as PathRequest);
    return JSON.parse(String(answer?.body)) as Record<string, unknown>;
  };
  assert.deepEqual(await read('/.well-known/openid-configuration'), {
    issuer,
    jwks_uri: 'https://192.0.2.1:6443/openid/v1/jwks',
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  });
  const { keys } = (await read('/openid/v1/jwks')) as { keys: Record<string, unknown>[] };
  assert.equal(keys[0]?.['alg'], 'RS256');
  assert.equal(keys[0]?.['d'], undefined);
  assert.deepEqual(createIssuerRoutes({ issuer: 'local', jwksUri: '', keys: [] }), []);
});
