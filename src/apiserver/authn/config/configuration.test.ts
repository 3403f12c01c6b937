import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { userOfClaims } from '../oidc/claims-to-user.ts';
import { readAuthenticationConfiguration } from './authentication-configuration.ts';
import { issuerOfFlags } from './oidc-flags.ts';

const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration' };
const issuer = { url: 'https://id.example', audiences: ['a'] };
const claimMappings = { username: { claim: 'sub', prefix: '' } };

const read = (jwt: object[], more: object = {}) =>
  readAuthenticationConfiguration(JSON.stringify({ ...head, jwt, ...more }), ['https://own']);

describe('AuthenticationConfiguration', () => {
  const wrong: [string, object[], string][] = [
    [
      'an own issuer',
      [{ issuer: { ...issuer, url: 'https://own' }, claimMappings }],
      'jwt[0].issuer.url: Invalid value: "https://own": URL must not overlap with disallowed issuers: [https://own]',
    ],
    [
      'two audiences without policy',
      [{ issuer: { ...issuer, audiences: ['a', 'b'] }, claimMappings }],
      'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
    ],
    [
      'the same discovery address',
      [{ issuer: { ...issuer, discoveryURL: 'https://id.example/' }, claimMappings }],
      'jwt[0].issuer.discoveryURL: Invalid value: "https://id.example/": discoveryURL must be different from URL',
    ],
    [
      'no user name',
      [{ issuer }],
      'jwt[0].claimMappings.username: Required value: claim or expression is required',
    ],
    [
      'a claim without prefix',
      [{ issuer, claimMappings: { username: { claim: 'sub' } } }],
      'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
    ],
    [
      'claim and expression',
      [{ issuer, claimMappings: { username: { claim: 'a', expression: 'claims.a' } } }],
      'jwt[0].claimMappings.username: Invalid value: "": claim and expression can\'t both be set',
    ],
    [
      'a reserved key',
      [
        {
          issuer,
          claimMappings: {
            ...claimMappings,
            extra: [{ key: 'x.k8s.io/a', valueExpression: '"a"' }],
          },
        },
      ],
      'jwt[0].claimMappings.extra[0].key: Invalid value: "x.k8s.io/a": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
    ],
    [
      'mail that was not verified',
      [{ issuer, claimMappings: { username: { expression: 'claims.email' } } }],
      'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in',
    ],
    [
      'a rule that is no truth',
      [{ issuer, claimMappings, claimValidationRules: [{ expression: '"a"' }] }],
      'jwt[0].claimValidationRules[0].expression: Invalid value: "\\"a\\"": must evaluate to bool',
    ],
    [
      'the same issuer twice',
      [
        { issuer, claimMappings },
        { issuer, claimMappings },
      ],
      'jwt[1].issuer.url: Duplicate value: "https://id.example"',
    ],
  ];
  for (const [name, jwt, why] of wrong) {
    it(`${name} is refused`, () => {
      assert.throws(
        () => read(jwt),
        (error: Error) => {
          assert.ok(error.message.includes(why), error.message);
          return true;
        },
      );
    });
  }

  it('conditions need anonymous requests to be on', () => {
    const anonymous = { enabled: false, conditions: [{ path: '/livez' }] };
    assert.throws(() => read([], { anonymous }), /enabled should be set to true/);
    assert.equal(read([]).anonymous, undefined);
  });

  it('another kind or version is refused', () => {
    const text = JSON.stringify({ ...head, apiVersion: 'apiserver.config.k8s.io/v9' });
    assert.throws(() => readAuthenticationConfiguration(text, []), /no kind/);
  });
});

describe('the issuer of the flags', () => {
  const flags = {
    issuerUrl: 'https://id.example',
    clientId: 'k3ts',
    authority: undefined,
    usernameClaim: 'sub',
    usernamePrefix: undefined,
    groupsClaim: '',
    groupsPrefix: '',
    requiredClaims: [],
    signingAlgorithms: ['RS256'],
  };
  const nameOf = (changes: object, claims: object): string => {
    const found = issuerOfFlags({ ...flags, ...changes }, []);
    assert.ok(found);
    return userOfClaims(found, claims as Record<string, unknown>).name;
  };

  it('puts itself before every claim but the mail address', () => {
    assert.equal(nameOf({}, { sub: 'a' }), 'https://id.example#a');
    assert.equal(nameOf({ usernamePrefix: '-' }, { sub: 'a' }), 'a');
    assert.equal(nameOf({ usernamePrefix: 'p:' }, { sub: 'a' }), 'p:a');
    const mail = { usernameClaim: 'email' };
    assert.equal(nameOf(mail, { email: 'a@b', email_verified: true }), 'a@b');
    assert.throws(
      () => nameOf(mail, { email: 'a@b', email_verified: false }),
      /email not verified/,
    );
  });

  it('is absent without flags and refuses half of them', () => {
    assert.equal(issuerOfFlags({ ...flags, issuerUrl: '', clientId: '' }, []), undefined);
    assert.throws(() => issuerOfFlags({ ...flags, clientId: '' }, []), /specified together/);
    assert.throws(
      () => issuerOfFlags({ ...flags, signingAlgorithms: ['HS256'] }, []),
      /unsupported signing alg/,
    );
    assert.throws(() => issuerOfFlags({ ...flags, requiredClaims: ['a'] }, []), /malformed pair/);
  });
});
