import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import {
  createAuthority,
  createEcKey,
  createRsaKey,
  createServiceAccountTokens,
  issueCertificate,
} from '#pki/mod.ts';
import type { Authority, ServiceAccountTokens } from '#pki/mod.ts';

import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import type { Authenticator, Credentials } from './authenticator.ts';
import { createBootstrapTokenAuthenticator } from './bootstrap-token.ts';
import { parseBundle } from './certificate-chain.ts';
import { createClientCertificateAuthenticator } from './client-certificate.ts';
import { unauthorized } from './failures.ts';
import { createFrontProxyAuthenticator } from './front-proxy.ts';
import {
  createPasswordAuthenticator,
  createStaticTokenAuthenticator,
  parsePasswordFile,
} from './passwords.ts';
import { createServiceAccountTokenAuthenticator } from './service-account-token.ts';
import { createTokenUnion, fromRequest } from './token-authenticator.ts';
import { createUnionAuthenticator } from './union.ts';

const clock = new FakeClock();
const serial = Buffer.from('0102030405060708', 'hex');
const yearMs = 365 * 24 * 3600 * 1000;

function credentials(init: Partial<Credentials>): Credentials {
  return { headers: {}, peerCertificate: undefined, remoteAddress: '127.0.0.1', ...init };
}

const bearer = (token: string): Credentials =>
  credentials({ headers: { authorization: `Bearer ${token}` } });

async function refuses(authenticator: Authenticator, asked: Credentials, why: RegExp) {
  await assert.rejects(authenticator.authenticate(asked), (error: Error) => {
    assert.equal(error.message, 'Unauthorized');
    const cause = error.cause as Error;
    assert.match(`${cause.message} ${(cause.cause as Error | undefined)?.message ?? ''}`, why);
    return true;
  });
}

async function certificate(
  authority: Authority,
  commonName: string,
  organizations: string[],
  purposes: ('client' | 'server')[] = ['client'],
): Promise<Buffer> {
  const pem = await issueCertificate({
    authority,
    commonName,
    organizations,
    purposes,
    key: await createEcKey(),
    nowMs: clock.now(),
    serial,
  });
  return new X509Certificate(pem).raw;
}

describe('client certificates', () => {
  let authority: Authority;
  let authenticator: Authenticator;
  let trusted: X509Certificate[];
  before(async () => {
    const keyPem = await createEcKey();
    authority = await createAuthority({ commonName: 'ca', keyPem, nowMs: clock.now(), serial });
    trusted = parseBundle(authority.certificatePem);
    authenticator = createClientCertificateAuthenticator({ clock, authorities: () => trusted });
  });

  it('takes the user from CN and the groups from O', async () => {
    const peerCertificate = await certificate(authority, 'alice', ['dev', 'a, b']);
    const found = await authenticator.authenticate(credentials({ peerCertificate }));
    assert.equal(found?.user.name, 'alice');
    assert.deepEqual(found?.user.groups, ['dev', 'a, b']);
    assert.match(
      found?.user.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '',
      /^X509SHA256=[0-9a-f]{64}$/,
    );
    const again = await authenticator.authenticate(credentials({ peerCertificate }));
    assert.equal(again, found, 'verified once a connection');
    const copy = Buffer.from(peerCertificate);
    assert.equal(await authenticator.authenticate(credentials({ peerCertificate: copy })), found);
  });

  it('has no opinion without a certificate', async () => {
    assert.equal(await authenticator.authenticate(credentials({})), undefined);
  });

  it('refuses a certificate of another authority, even of the same name', async () => {
    const keyPem = await createEcKey();
    const other = await createAuthority({ commonName: 'ca', keyPem, nowMs: clock.now(), serial });
    const peerCertificate = await certificate(other, 'mallory', ['system:masters']);
    await refuses(authenticator, credentials({ peerCertificate }), /unknown authority/);
  });

  it('refuses a certificate that is not for clients', async () => {
    const peerCertificate = await certificate(authority, 'alice', [], ['server']);
    await refuses(authenticator, credentials({ peerCertificate }), /incompatible key usage/);
  });

  it('refuses a remembered certificate once it has expired', async () => {
    const later = new FakeClock(clock.now());
    const own = createClientCertificateAuthenticator({
      clock: later,
      authorities: () => trusted,
    });
    const peerCertificate = await certificate(authority, 'alice', []);
    assert.ok(await own.authenticate(credentials({ peerCertificate })));
    await later.advance(yearMs + 1000);
    await refuses(own, credentials({ peerCertificate }), /expired/);
  });

  it('refuses a remembered certificate once its authority is no longer trusted', async () => {
    let authorities = trusted;
    const own = createClientCertificateAuthenticator({ clock, authorities: () => authorities });
    const peerCertificate = await certificate(authority, 'alice', []);
    assert.ok(await own.authenticate(credentials({ peerCertificate })));
    authorities = [];
    await refuses(own, credentials({ peerCertificate }), /unknown authority/);
  });

  it('refuses bytes that are no certificate', async () => {
    const peerCertificate = Buffer.from('not a certificate');
    await refuses(authenticator, credentials({ peerCertificate }), /cannot be decoded/);
  });

  it('lets a front proxy name the user, but only one on the list', async () => {
    const proxy = createFrontProxyAuthenticator({
      clock,
      authorities: () => trusted,
      allowedNames: ['system:auth-proxy'],
    });
    const headers = {
      'x-remote-user': 'bob',
      'x-remote-group': ['g1', 'g2'],
      'x-remote-extra-acme.com%2Fproject': 'p1',
    };
    const good = await certificate(authority, 'system:auth-proxy', []);
    const found = await proxy.authenticate(credentials({ headers, peerCertificate: good }));
    assert.deepEqual(found?.user, {
      name: 'bob',
      uid: undefined,
      groups: ['g1', 'g2'],
      extra: { 'acme.com/project': ['p1'] },
    });
    const bad = await certificate(authority, 'alice', []);
    await refuses(proxy, credentials({ headers, peerCertificate: bad }), /not in the allowed list/);
    assert.equal(await proxy.authenticate(credentials({ headers })), undefined);
  });
});

describe('service account tokens', () => {
  let tokens: ServiceAccountTokens;
  before(async () => {
    tokens = createServiceAccountTokens(await createRsaKey());
  });
  const issuer = 'https://kubernetes.default.svc.cluster.local';
  const audiences = [issuer, 'k3s'];
  const seconds = clock.now() / 1000;
  const claims = {
    iss: issuer,
    aud: [issuer],
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3600,
    jti: 'token-1',
    'kubernetes.io': {
      namespace: 'ns',
      serviceaccount: { name: 'app', uid: 'sa-uid' },
      pod: { name: 'web', uid: 'pod-uid' },
      node: { name: 'n1', uid: 'node-uid' },
    },
  };

  function setUp() {
    const reader = new FakeObjectReader();
    reader.put(resources.serviceAccounts, {
      metadata: { namespace: 'ns', name: 'app', uid: 'sa-uid' },
    });
    reader.put(resources.pods, { metadata: { namespace: 'ns', name: 'web', uid: 'pod-uid' } });
    const ownClock = new FakeClock(clock.now());
    const authenticator = createServiceAccountTokenAuthenticator({
      clock: ownClock,
      reader,
      verifier: { verify: (token) => tokens.verify(token) },
      issuers: [issuer],
      audiences,
    });
    return { reader, authenticator, clock: ownClock };
  }

  it('names the account, its groups and what the token is bound to', async () => {
    const { authenticator } = setUp();
    const found = await authenticator.authenticate(bearer(await tokens.sign(claims)));
    assert.deepEqual(found, {
      user: {
        name: 'system:serviceaccount:ns:app',
        uid: 'sa-uid',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
        extra: {
          'authentication.kubernetes.io/credential-id': ['JTI=token-1'],
          'authentication.kubernetes.io/node-name': ['n1'],
          'authentication.kubernetes.io/node-uid': ['node-uid'],
          'authentication.kubernetes.io/pod-name': ['web'],
          'authentication.kubernetes.io/pod-uid': ['pod-uid'],
        },
      },
      audiences: [issuer],
    });
  });

  it('refuses a token after its end, and one for other audiences', async () => {
    const { authenticator, clock: own } = setUp();
    const token = await tokens.sign(claims);
    assert.ok(await authenticator.authenticate(bearer(token)));
    await own.advance(3601_000);
    await refuses(authenticator, bearer(token), /expired/);
    const foreign = await tokens.sign({ ...claims, aud: ['vault'], exp: seconds + 9999 });
    await refuses(authenticator, bearer(foreign), /audiences/);
    const review = await authenticator.authenticateToken(foreign, ['vault', 'other']);
    assert.deepEqual(review?.audiences, ['vault']);
  });

  it('refuses a token when the pod is gone, replaced, or long deleted', async () => {
    const { authenticator, reader, clock: own } = setUp();
    const asked = bearer(await tokens.sign(claims));
    const deletionTimestamp = new Date(own.now()).toISOString();
    const pod = { namespace: 'ns', name: 'web', uid: 'pod-uid', deletionTimestamp };
    reader.put(resources.pods, { metadata: pod });
    assert.ok(await authenticator.authenticate(asked), 'the pod may still say good-bye');
    await own.advance(61_000);
    await refuses(authenticator, asked, /invalidated/);
    reader.put(resources.pods, { metadata: { namespace: 'ns', name: 'web', uid: 'other' } });
    await refuses(authenticator, asked, /UID/);
    reader.remove(resources.pods, 'ns', 'web');
    await refuses(authenticator, asked, /invalidated/);
  });

  it('refuses a token of an account that was made anew', async () => {
    const { authenticator, reader } = setUp();
    reader.put(resources.serviceAccounts, {
      metadata: { namespace: 'ns', name: 'app', uid: 'new' },
    });
    await refuses(authenticator, bearer(await tokens.sign(claims)), /UID/);
  });

  it('refuses a token signed by another key and leaves other issuers alone', async () => {
    const { authenticator } = setUp();
    const other = createServiceAccountTokens(await createRsaKey());
    await refuses(authenticator, bearer(await other.sign(claims)), /invalid bearer token/);
    const foreign = await other.sign({ ...claims, iss: 'https://accounts.example' });
    assert.equal(await authenticator.authenticate(bearer(foreign)), undefined);
    assert.equal(await authenticator.authenticate(bearer('abc')), undefined);
  });

  it('takes a token that a Secret holds for as long as the Secret does', async () => {
    const { authenticator, reader } = setUp();
    const token = await tokens.sign({
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'ns',
      'kubernetes.io/serviceaccount/secret.name': 's',
      'kubernetes.io/serviceaccount/service-account.name': 'app',
      'kubernetes.io/serviceaccount/service-account.uid': 'sa-uid',
    });
    const data = { token: Buffer.from(token).toString('base64') };
    reader.put(resources.secrets, { metadata: { namespace: 'ns', name: 's' }, data } as never);
    assert.equal(
      (await authenticator.authenticate(bearer(token)))?.user.name,
      'system:serviceaccount:ns:app',
    );
    reader.remove(resources.secrets, 'ns', 's');
    await refuses(authenticator, bearer(token), /invalidated/);
  });
});

describe('passwords and tokens of the supervisor', () => {
  const users = parsePasswordFile(
    'secret,node,node,"k3s:agent"\n"with,comma",server,server,"k3s:server,k3s:other"\n',
  );
  const basic = (text: string): Credentials =>
    credentials({
      headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` },
    });

  it('reads a password file', () => {
    assert.deepEqual(users, [
      { name: 'node', password: 'secret', uid: 'node', groups: ['k3s:agent'] },
      {
        name: 'server',
        password: 'with,comma',
        uid: 'server',
        groups: ['k3s:server', 'k3s:other'],
      },
    ]);
  });

  it('accepts the right password only', async () => {
    const authenticator = createPasswordAuthenticator({ users: () => users });
    assert.equal((await authenticator.authenticate(basic('node:secret')))?.user.name, 'node');
    await refuses(authenticator, basic('node:wrong'), /wrong password/);
    assert.equal(await authenticator.authenticate(basic('nobody:x')), undefined);
    assert.equal(await authenticator.authenticate(bearer('x')), undefined);
  });

  it('finds a user by a fixed token, from a WebSocket too', async () => {
    const user = { name: 'loop', groups: [] };
    const authenticator = createStaticTokenAuthenticator({
      tokens: () => [{ token: 't0k3n', user }],
    });
    assert.equal((await authenticator.authenticate(bearer('t0k3n')))?.user, user);
    assert.equal(await authenticator.authenticate(bearer('t0k3')), undefined);
    const encoded = Buffer.from('t0k3n').toString('base64url');
    const protocol = `base64url.bearer.authorization.k8s.io.${encoded}`;
    const asked = credentials({
      headers: { 'sec-websocket-protocol': `v5.channel.k8s.io, ${protocol}` },
    });
    assert.equal((await authenticator.authenticate(asked))?.user, user);
  });

  it('takes bootstrap tokens by what their Secret says', async () => {
    const reader = new FakeObjectReader();
    const authenticator = createBootstrapTokenAuthenticator({ clock, reader, log: silentLogger });
    const token = 'abcdef.0123456789abcdef';
    assert.equal(await authenticator.authenticate(bearer(token)), undefined);
    const put = (more: Record<string, string>): void => {
      const plain: Record<string, string> = {
        'token-id': 'abcdef',
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-authentication': 'true',
        'auth-extra-groups': 'system:bootstrappers:k3s:default-node-token',
        ...more,
      };
      const data = Object.fromEntries(
        Object.entries(plain).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      const metadata = { namespace: 'kube-system', name: 'bootstrap-token-abcdef' };
      const secret = { type: 'bootstrap.kubernetes.io/token', data, metadata };
      reader.put(resources.secrets, secret);
    };
    put({});
    assert.deepEqual((await authenticator.authenticate(bearer(token)))?.user, {
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:k3s:default-node-token'],
    });
    // as upstream, none of these is an error: somebody else may know the token
    const others: Record<string, string>[] = [
      { expiration: '2020-01-01T00:00:00Z' },
      { expiration: 'tomorrow' },
      { 'usage-bootstrap-authentication': 'false' },
      { 'token-secret': 'ffffffffffffffff' },
      { 'token-id': 'fedcba' },
      { 'auth-extra-groups': 'system:masters' },
      { 'auth-extra-groups': 'system:bootstrappers:a,' },
    ];
    for (const more of others) {
      put(more);
      assert.equal(await authenticator.authenticate(bearer(token)), undefined);
    }
  });
});

describe('the union', () => {
  const known: Authenticator = {
    authenticate: async (asked) =>
      asked.headers['x'] === undefined ? undefined : { user: { name: 'u', groups: ['g'] } },
  };
  const failing = createPasswordAuthenticator({
    users: () => [{ name: 'node', password: 'p', uid: '', groups: [] }],
  });
  const wrong = `Basic ${Buffer.from('node:wrong').toString('base64')}`;
  const union = (anonymous: boolean) =>
    createUnionAuthenticator({ authenticators: [failing, known], anonymous, log: silentLogger });

  it('takes a token that nobody knows for a wrong one, also where strangers are let in', async () => {
    const tokens = fromRequest(createTokenUnion([]), () => []);
    const open = createUnionAuthenticator({
      authenticators: [tokens],
      anonymous: true,
      log: silentLogger,
    });
    await refuses(open, bearer('who-knows'), /invalid bearer token/);
    assert.equal((await open.authenticate(credentials({}))).user.name, 'system:anonymous');
  });

  it('tells all that is wrong with a token, the same thing once', async () => {
    const saying = (why: string) => ({
      authenticateToken: async () => {
        throw unauthorized(why);
      },
    });
    const tokens = createTokenUnion([saying('old'), saying('odd'), saying('old')]);
    await refuses(
      fromRequest(tokens, () => []),
      bearer('x'),
      /^\[old, odd\] /,
    );
  });

  it('adds system:authenticated', async () => {
    const { user } = await union(false).authenticate(credentials({ headers: { x: '1' } }));
    assert.deepEqual(user.groups, ['g', 'system:authenticated']);
  });

  it('goes on after wrong credentials when others are right', async () => {
    const headers = { x: '1', authorization: wrong };
    const { user } = await union(false).authenticate(credentials({ headers }));
    assert.equal(user.name, 'u');
  });

  it('answers 401 without credentials, and anonymous when that is on', async () => {
    await assert.rejects(union(false).authenticate(credentials({})), { httpCode: 401 });
    const { user } = await union(true).authenticate(credentials({}));
    assert.equal(user.name, 'system:anonymous');
    assert.deepEqual(user.groups, ['system:unauthenticated']);
  });

  it('never turns wrong credentials into anonymous', async () => {
    const asked = credentials({ headers: { authorization: wrong } });
    await assert.rejects(union(true).authenticate(asked), { httpCode: 401 });
  });
});
