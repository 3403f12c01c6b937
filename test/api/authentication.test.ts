/** Tokens of others: OpenID Connect, webhooks, files; who may come without any; files that change. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startFakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import type { FakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import { systemClock } from '#base/clock.ts';
import { systemRandom } from '#base/random.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';
import type { Authority } from '#pki/mod.ts';
import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import type { Answer } from './answer.ts';
import { at } from './answer.ts';
import { startOidcIssuer } from './oidc-issuer.ts';
import type { OidcIssuer } from './oidc-issuer.ts';
import type { Identity, TestApi } from './server.ts';
import { startTestApi, untilMs } from './server.ts';

const reviews = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k3ts-authn-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function start(...args: string[]): Promise<TestApi> {
  return await startTestApi({
    disableScheduler: true,
    disableControllerManager: true,
    apiServerArgs: readApiServerArgs(args),
  });
}

/** Who the server takes the bearer of the token for. */
async function whoIs(api: TestApi, token: string): Promise<Answer> {
  return await api.request('POST', reviews, {
    as: 'none',
    headers: { Authorization: `Bearer ${token}` },
    body: {},
  });
}

const userOf = ({ status, json, text }: Answer): unknown => {
  assert.equal(status, 201, text);
  return at(json, 'status.userInfo');
};

describe('OpenID Connect by flags', () => {
  let issuer: OidcIssuer;
  let api: TestApi;

  before(async () => {
    issuer = await startOidcIssuer();
    const authority = join(folder, 'issuer.pem');
    await writeFile(authority, issuer.ca);
    api = await start(
      `oidc-issuer-url=${issuer.url}`,
      'oidc-client-id=k3ts',
      `oidc-ca-file=${authority}`,
      'oidc-groups-claim=groups',
      'oidc-groups-prefix=oidc:',
      'oidc-required-claim=hd=example.com',
    );
  });
  after(async () => {
    await api?.close();
    await issuer.close();
  });

  test('makes a user of the claims', async () => {
    const token = await issuer.token({ sub: 'jane', groups: ['a', 'b'], hd: 'example.com' });
    assert.deepEqual(userOf(await whoIs(api, token)), {
      username: `${issuer.url}#jane`,
      groups: ['oidc:a', 'oidc:b', 'system:authenticated'],
    });
    const command = `auth whoami -o jsonpath={.status.userInfo.username} --token ${token}`;
    const place = `--kubeconfig /dev/null --server ${api.url} --insecure-skip-tls-verify`;
    const whoami = await api.kubectl(`${command} ${place}`.split(' '));
    assert.equal(whoami.stdout, `${issuer.url}#jane`, whoami.stderr);
  });

  test('fetches groups from where the token says they are', async () => {
    const named = (accessToken: string, path = '/groups') => ({
      sub: 'jane',
      hd: 'example.com',
      _claim_names: { groups: 'src' },
      _claim_sources: { src: { endpoint: `${issuer.url}${path}`, access_token: accessToken } },
    });
    issuer.publish('/groups', 'sesame', await issuer.token({ groups: ['far', 'away'] }));
    issuer.publish('/none', 'sesame', await issuer.token({ other: 1 }));
    const found = userOf(await whoIs(api, await issuer.token(named('sesame'))));
    assert.deepEqual(at(found, 'groups'), ['oidc:far', 'oidc:away', 'system:authenticated']);
    const cases: [object, string][] = [
      [named('wrong'), 'while getting distributed claim "groups": error while getting'],
      [named('sesame', '/none'), `jwt returned by distributed claim endpoint "${issuer.url}/none"`],
      [{ ...named('x'), _claim_sources: undefined }, 'oidc: no claim sources'],
      [
        { ...named('x'), _claim_sources: {} },
        'id token _claim_names contained a source src missing',
      ],
    ];
    for (const [claims, why] of cases) {
      const review = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        body: { spec: { token: await issuer.token({ ...claims }) } },
      });
      const error = String(at(review.json, 'status.error'));
      assert.ok(error.startsWith(`oidc: could not expand distributed claims: ${why}`), error);
    }
  });

  test('refuses what does not fit', async () => {
    const good = { sub: 'jane', hd: 'example.com' };
    const nowSeconds = Math.floor(systemClock.now() / 1000);
    const token = await issuer.token(good);
    const [head, , signature] = token.split('.');
    const forged = Buffer.from(
      JSON.stringify({ ...good, sub: 'root', iss: issuer.url, aud: 'k3ts', exp: nowSeconds + 60 }),
    );
    for (const wrong of [
      await issuer.token({ ...good, aud: 'other' }),
      await issuer.token({ ...good, exp: nowSeconds - 10 }),
      await issuer.token({ ...good, hd: 'other.com' }),
      await issuer.token({ sub: 'jane' }),
      `${head}.${forged.toString('base64url')}.${signature}`,
    ]) {
      assert.equal((await whoIs(api, wrong)).status, 401);
    }
  });

  test('says in a TokenReview what is wrong', async () => {
    const token = await issuer.token({ sub: 'jane', hd: 'other.com' });
    const answer = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token } },
    });
    assert.equal(
      at(answer.json, 'status.error'),
      'oidc: required claim hd value does not match. Got = other.com, want = example.com',
    );
    const wrong: [object, string][] = [
      [{ aud: ['b', 'a'] }, 'oidc: expected audience in ["k3ts"] got ["b" "a"]'],
      [{ exp: 1 }, 'oidc: token is expired (Token Expiry: 1970-01-01 00:00:01 +0000 UTC)'],
    ];
    for (const [claims, why] of wrong) {
      const review = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        body: { spec: { token: await issuer.token({ sub: 'jane', ...claims }) } },
      });
      assert.equal(at(review.json, 'status.error'), `oidc: verify token: ${why}`);
    }
    const good = await issuer.token({ sub: 'jane', hd: 'example.com' });
    const other = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token: good, audiences: ['elsewhere'] } },
    });
    assert.equal(at(other.json, 'status.authenticated'), undefined);
    const own = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token: good, audiences: ['elsewhere', 'k3s'] } },
    });
    assert.equal(at(own.json, 'status.authenticated'), true);
    assert.deepEqual(at(own.json, 'status.audiences'), ['k3s']);
  });
});

describe('an AuthenticationConfiguration', () => {
  let issuer: OidcIssuer;
  let api: TestApi;
  let file: string;
  const configuration = (changes: object = {}): string =>
    JSON.stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthenticationConfiguration',
      jwt: [
        {
          issuer: {
            url: issuer.url,
            audiences: ['k3ts', 'other'],
            audienceMatchPolicy: 'MatchAny',
            certificateAuthority: issuer.ca,
          },
          claimValidationRules: [
            { expression: 'claims.level > 2', message: 'the level is too low' },
          ],
          claimMappings: {
            username: { expression: '"ext:" + claims.sub' },
            groups: { expression: 'claims.?roles.orValue([])' },
            uid: { claim: 'sub' },
            extra: [{ key: 'example.com/team', valueExpression: 'claims.?team.orValue("")' }],
          },
          userValidationRules: [
            { expression: '!user.username.startsWith("ext:system")', message: 'reserved name' },
          ],
        },
      ],
      anonymous: { enabled: true, conditions: [{ path: '/livez' }] },
      ...changes,
    });

  before(async () => {
    issuer = await startOidcIssuer('ES256');
    file = join(folder, 'authentication.json');
    await writeFile(file, configuration());
    api = await start(`authentication-config=${file}`);
  });
  after(async () => {
    await api?.close();
    await issuer.close();
  });

  test('maps claims by expressions', async () => {
    const token = await issuer.token({ sub: 'jane', level: 3, roles: ['dev'], team: 'red' });
    assert.deepEqual(userOf(await whoIs(api, token)), {
      username: 'ext:jane',
      uid: 'jane',
      groups: ['dev', 'system:authenticated'],
      extra: { 'example.com/team': ['red'] },
    });
    const plain = await issuer.token({ sub: 'joe', level: 3 });
    assert.deepEqual(userOf(await whoIs(api, plain)), {
      username: 'ext:joe',
      uid: 'joe',
      groups: ['system:authenticated'],
    });
  });

  test('refuses by its rules', async () => {
    const reviewed = async (claims: object): Promise<unknown> => {
      const token = await issuer.token({ ...claims });
      const path = '/apis/authentication.k8s.io/v1/tokenreviews';
      return at(
        (await api.request('POST', path, { body: { spec: { token } } })).json,
        'status.error',
      );
    };
    assert.match(String(await reviewed({ sub: 'a', level: 1 })), /the level is too low/);
    assert.match(String(await reviewed({ sub: 'system', level: 9 })), /reserved name/);
    assert.match(
      String(await reviewed({ sub: 'a' })),
      /'claims\.level > 2' resulted in error: no such key: level/,
    );
  });

  test('lets strangers in where it says', async () => {
    assert.equal((await api.request('GET', '/readyz', { as: 'none' })).status, 401);
    const livez = await api.request('GET', '/livez', { as: 'none' });
    assert.equal(livez.text, 'ok');
  });

  test('asks for unknown keys of the issuer at most every ten seconds', async () => {
    const statuses: number[] = [];
    // The ten seconds may end during one of them, but not during each.
    for (let round = 0; round < 3; round += 1) {
      await issuer.rotate();
      const token = await issuer.token({ sub: 'kim', level: 3 });
      statuses.push((await whoIs(api, token)).status);
    }
    assert.ok(statuses.includes(401), statuses.join(' '));
  });

  test('is read again when it changes, a broken one is not used', async () => {
    await writeFile(file, configuration({ anonymous: { enabled: true } }));
    const end = systemClock.monotonicMs() + untilMs;
    const status = async (): Promise<number> =>
      (await api.request('GET', '/readyz', { as: 'none' })).status;
    while ((await status()) === 401) {
      assert.ok(systemClock.monotonicMs() < end, 'the change takes effect');
      await systemClock.sleep(30);
    }
    await writeFile(file, configuration({ anonymous: { enabled: 'yes' } }));
    while (!api.logLines.some((line) => line.includes('is not used'))) {
      assert.ok(systemClock.monotonicMs() < end, 'the broken file is logged');
      await systemClock.sleep(30);
    }
    assert.notEqual(await status(), 401);
  });
});

describe('tokens of a file and of a webhook', () => {
  let webhook: FakeWebhook;
  let api: TestApi;

  before(async () => {
    webhook = await startFakeWebhook(({ body }) => {
      const { token, audiences = [] } = (body as { spec: { token: string; audiences?: string[] } })
        .spec;
      const known = token === 'from-webhook';
      const user = { username: 'wendy', uid: '7', groups: ['w'], extra: { 'acme.com/x': ['1'] } };
      return {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        status: known
          ? { authenticated: true, user, audiences: audiences.slice(0, 1) }
          : { authenticated: false, ...(token === 'bad' ? { error: 'no good' } : {}) },
      };
    });
    const kubeconfig = join(folder, 'webhook.yaml');
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [
          {
            name: 'w',
            cluster: {
              server: `${webhook.url}/authenticate`,
              'certificate-authority-data': webhook.caBundle,
            },
          },
        ],
        users: [{ name: 'u', user: { token: 'own-token' } }],
        contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
        'current-context': 'c',
      }),
    );
    const tokens = join(folder, 'tokens.csv');
    await writeFile(tokens, 's3cret,frida,f-1,"g1,g2"\nplain,paul,p-1\n');
    api = await start(
      `token-auth-file=${tokens}`,
      `authentication-token-webhook-config-file=${kubeconfig}`,
    );
  });
  after(async () => {
    await api?.close();
    await webhook.close();
  });

  test('a file names users and groups', async () => {
    assert.deepEqual(userOf(await whoIs(api, 's3cret')), {
      username: 'frida',
      uid: 'f-1',
      groups: ['g1', 'g2', 'system:authenticated'],
    });
    assert.deepEqual(userOf(await whoIs(api, 'plain')), {
      username: 'paul',
      uid: 'p-1',
      groups: ['system:authenticated'],
    });
  });

  test('a webhook is asked once for a token, with its own credentials', async () => {
    webhook.calls.length = 0;
    const user = {
      username: 'wendy',
      uid: '7',
      groups: ['w', 'system:authenticated'],
      extra: { 'acme.com/x': ['1'] },
    };
    assert.deepEqual(userOf(await whoIs(api, 'from-webhook')), user);
    assert.deepEqual(userOf(await whoIs(api, 'from-webhook')), user);
    assert.equal(webhook.calls.length, 1);
    assert.match(webhook.calls[0]?.path ?? '', /^\/authenticate\?timeout=/);
    assert.equal(webhook.calls[0]?.headers.authorization, 'Bearer own-token');
    assert.deepEqual(at(webhook.calls[0]?.body, 'spec.audiences'), [
      'https://kubernetes.default.svc.cluster.local',
      'k3s',
    ]);
  });

  test('nobody knows other tokens', async () => {
    assert.equal((await whoIs(api, 'unknown')).status, 401);
    const review = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token: 'bad' } },
    });
    assert.equal(at(review.json, 'status.error'), 'no good');
  });

  test('a review passes audiences on', async () => {
    const review = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token: 'from-webhook', audiences: ['vault', 'k3s'] } },
    });
    assert.deepEqual(at(review.json, 'status.audiences'), ['vault']);
  });
});

describe('tokens of service accounts', () => {
  let api: TestApi;

  before(async () => {
    api = await startTestApi({
      disableScheduler: true,
      apiServerArgs: readApiServerArgs([
        'service-account-issuer=https://issuer.example',
        'service-account-issuer=https://kubernetes.default.svc.cluster.local',
        'service-account-jwks-uri=https://issuer.example/keys',
        'service-account-max-token-expiration=1h',
        'api-audiences=api',
      ]),
    });
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await api.until(account, ({ status }) => status === 200);
  });
  after(() => api?.close());

  test('are of the first issuer, for the audiences of the server, and live no longer than allowed', async () => {
    const made = await api.kubectl(['create', 'token', 'default', '--duration=2h']);
    assert.match(made.stderr, /requested expiration of 7200 seconds shortened to 3600 seconds/);
    const token = made.stdout.trim();
    const body = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const claims = JSON.parse(body) as { iss: string; aud: string[]; exp: number; iat: number };
    assert.equal(claims.iss, 'https://issuer.example');
    assert.deepEqual(claims.aud, ['api']);
    assert.equal(claims.exp - claims.iat, 3600);
    const user = userOf(await whoIs(api, token)) as { username: string };
    assert.equal(user.username, 'system:serviceaccount:default:default');
    const configuration = await api.request('GET', '/.well-known/openid-configuration');
    assert.equal(at(configuration.json, 'issuer'), 'https://issuer.example');
    assert.equal(at(configuration.json, 'jwks_uri'), 'https://issuer.example/keys');
  });

  test('in Secrets leave the day of their last use there', async () => {
    const secrets = '/api/v1/namespaces/default/secrets';
    const annotations = { 'kubernetes.io/service-account.name': 'default' };
    const type = 'kubernetes.io/service-account-token';
    await api.request('POST', secrets, { body: { metadata: { name: 'old', annotations }, type } });
    const filled = await api.until(`${secrets}/old`, ({ json }) => {
      return at(json, 'data.token') !== undefined;
    });
    const token = Buffer.from(String(at(filled.json, 'data.token')), 'base64').toString();
    assert.equal((await whoIs(api, token)).status, 201);
    const label = ['metadata', 'labels', 'kubernetes.io/legacy-token-last-used'];
    const used = await api.until(`${secrets}/old`, ({ json }) => at(json, label) !== undefined);
    assert.match(String(at(used.json, label)), /^\d{4}-\d{2}-\d{2}$/);
    const map = 'kube-apiserver-legacy-service-account-token-tracking';
    const tracking = await api.until(
      `/api/v1/namespaces/kube-system/configmaps/${map}`,
      (answer) => {
        return answer.status === 200;
      },
    );
    assert.match(String(at(tracking.json, 'data.since')), /^\d{4}-\d{2}-\d{2}$/);
    const marked = {
      metadata: { labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' } },
    };
    await api.request('PATCH', `${secrets}/old`, {
      body: JSON.stringify(marked),
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    assert.equal((await whoIs(api, token)).status, 401);
  });
});

describe('authorities and keys of the user', () => {
  let api: TestApi;
  let client: Identity;
  let proxy: Identity;

  before(async () => {
    const nowMs = systemClock.now();
    const authority = async (commonName: string) =>
      await createAuthority({
        commonName,
        keyPem: await createEcKey(),
        nowMs,
        serial: systemRandom.bytes(8),
      });
    const identity = async (of: Authority, commonName: string): Promise<Identity> => {
      const key = await createEcKey();
      const request = { authority: of, commonName, purposes: ['client' as const], key, nowMs };
      return { key, cert: await issueCertificate({ ...request, serial: systemRandom.bytes(8) }) };
    };
    const clients = await authority('my-clients');
    const proxies = await authority('my-proxies');
    client = await identity(clients, 'jane');
    proxy = await identity(proxies, 'system:auth-proxy');
    await writeFile(join(folder, 'clients.pem'), clients.certificatePem);
    await writeFile(join(folder, 'proxies.pem'), proxies.certificatePem);
    await writeFile(join(folder, 'signing.pem'), await createEcKey());
    api = await start(
      `client-ca-file=${folder}/clients.pem`,
      `requestheader-client-ca-file=${folder}/proxies.pem`,
      `service-account-signing-key-file=${folder}/signing.pem`,
    );
  });
  after(() => api?.close());

  test('name clients and proxies beside those of k3ts', async () => {
    const own = await api.request('POST', reviews, { body: {} });
    assert.equal((userOf(own) as { username: string }).username, 'system:admin');
    const theirs = await api.request('POST', reviews, { body: {}, as: client });
    assert.equal((userOf(theirs) as { username: string }).username, 'jane');
    const headers = { 'X-Remote-User': 'joe' };
    const proxied = await api.request('POST', reviews, { body: {}, as: proxy, headers });
    assert.equal((userOf(proxied) as { username: string }).username, 'joe');
    const map = 'extension-apiserver-authentication';
    const trust = await api.until(
      `/api/v1/namespaces/kube-system/configmaps/${map}`,
      ({ status }) => status === 200,
    );
    const bundle = String(at(trust.json, ['data', 'client-ca-file']));
    assert.equal(bundle.match(/BEGIN CERTIFICATE/g)?.length, 2);
  });

  test('sign tokens that are good here', async () => {
    await api.request('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { metadata: { name: 'robot' } },
    });
    const made = await api.kubectl(['create', 'token', 'robot']);
    const token = made.stdout.trim();
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    assert.equal((header as { alg: string }).alg, 'ES256');
    const user = userOf(await whoIs(api, token)) as { username: string };
    assert.equal(user.username, 'system:serviceaccount:default:robot');
    const keys = await api.request('GET', '/openid/v1/jwks');
    const algorithms = (at(keys.json, 'keys') as { alg: string }[]).map(({ alg }) => alg);
    assert.deepEqual(algorithms, ['ES256', 'RS256']);
    const configuration = await api.request('GET', '/.well-known/openid-configuration');
    assert.deepEqual(at(configuration.json, 'id_token_signing_alg_values_supported'), [
      'ES256',
      'RS256',
    ]);
  });
});

test('wrong arguments end the start with what is wrong', async () => {
  const file = join(folder, 'wrong.yaml');
  const wrong: [string[], string, RegExp][] = [
    [['oidc-issuer-url=http://x', 'oidc-client-id=a'], '', /URL scheme must be https/],
    [[`client-ca-file=${file}`], 'nothing', /data does not contain any valid certificates/],
    [[`service-account-signing-key-file=${file}`], 'nothing', /holds no private key/],
    [[`service-account-key-file=${file}`], 'nothing', /the file holds no PEM key/],
    [['oidc-issuer-url=https://x'], '', /oidc-client-id must be specified together/],
    [
      [`authentication-config=${file}`, 'oidc-client-id=a'],
      '',
      /authentication-config file and oidc-\* flags are mutually exclusive/,
    ],
    [
      [`authentication-config=${file}`],
      'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt:\n- issuer: {url: "https://a?b"}\n',
      /jwt\[0\]\.issuer\.url: Invalid value: "https:\/\/a\?b": URL must not contain a query, jwt\[0\]\.issuer\.audiences: Required value: at least one jwt\[0\]\.issuer\.audiences is required/,
    ],
    [
      [`authentication-config=${file}`],
      'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymus: {}\n',
      /unknown field "anonymus"/,
    ],
    [[`token-auth-file=${file}`], 'a,b\n', /at least 3 columns/],
    [[`token-auth-file=${file}.none`], '', /no such file/],
  ];
  for (const [args, text, why] of wrong) {
    await writeFile(file, text);
    await assert.rejects(start(...args), why);
  }
});
