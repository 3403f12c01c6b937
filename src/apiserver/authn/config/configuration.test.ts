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
      'an egress selector',
      [{ issuer: { ...issuer, egressSelectorType: 'cluster' }, claimMappings }],
      'jwt[0].issuer.egressSelectorType: Invalid value: "cluster": egress selector is not supported when StructuredAuthenticationConfigurationEgressSelector feature gate is disabled',
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

describe('claims', () => {
  const issuerOf = (entry: object) => {
    const [found] = read([{ issuer, claimMappings, ...entry }]).jwt;
    assert.ok(found);
    return found;
  };

  it('make a user whose empty texts are left out, and whose fields rules may always read', () => {
    const found = issuerOf({
      claimMappings: {
        username: { expression: 'claims.sub' },
        groups: { expression: 'claims.roles' },
        extra: [{ key: 'a.example/b', valueExpression: 'claims.tags' }],
      },
      userValidationRules: [{ expression: 'user.uid == "" && size(user.extra) == 0' }],
    });
    const user = userOfClaims(found, { sub: 'a', roles: ['x', '', 'y'], tags: [''] });
    assert.deepEqual(user, { name: 'a', uid: undefined, groups: ['x', 'y'], extra: undefined });
    const none = userOfClaims(found, { sub: 'a', roles: null, tags: '' });
    assert.deepEqual(none.groups, []);
  });

  const wrong: [string, object, Record<string, unknown>, string][] = [
    [
      'a name that is no text',
      {},
      { sub: 7 },
      'oidc: parse username claims "sub": json: cannot unmarshal number into Go value of type string',
    ],
    ['no name', {}, {}, 'oidc: parse username claims "sub": claim not present'],
    [
      'a name of an expression that is no text',
      { claimMappings: { username: { expression: 'claims.sub' } } },
      { sub: 7 },
      'oidc: error evaluating username claim expression: username claim expression must return a string',
    ],
    [
      'groups that are no texts',
      { claimMappings: { ...claimMappings, groups: { claim: 'g', prefix: '' } } },
      { sub: 'a', g: 7 },
      'oidc: parse groups claim "g": json: cannot unmarshal number into Go value of type string',
    ],
    [
      'groups of an expression that are no texts',
      { claimMappings: { ...claimMappings, groups: { expression: 'claims.g' } } },
      { sub: 'a', g: [1] },
      'oidc: error evaluating group claim expression: expression must return a string or a list of strings',
    ],
    [
      'a uid that is no text',
      { claimMappings: { ...claimMappings, uid: { claim: 'u' } } },
      { sub: 'a', u: {} },
      'oidc: parse uid claim "u": json: cannot unmarshal object into Go value of type string',
    ],
    [
      'an extra value that is no text',
      {
        claimMappings: {
          ...claimMappings,
          extra: [{ key: 'a.example/b', valueExpression: 'claims.x' }],
        },
      },
      { sub: 'a', x: 1 },
      'oidc: error evaluating extra claim expression: claims.x: expression must return a string or a list of strings',
    ],
    [
      'a required claim that differs, before any expression',
      {
        claimValidationRules: [
          { expression: 'false', message: 'never' },
          { claim: 'hd', requiredValue: 'x' },
        ],
      },
      { sub: 'a', hd: 'y' },
      'oidc: required claim hd value does not match. Got = y, want = x',
    ],
    [
      'a rule for claims that does not hold',
      { claimValidationRules: [{ expression: 'claims.level > 2', message: 'too low' }] },
      { sub: 'a', level: 1 },
      "oidc: error evaluating claim validation expression: validation expression 'claims.level > 2' failed: too low",
    ],
    [
      'a rule for users that does not hold',
      { userValidationRules: [{ expression: "user.username != 'a'" }] },
      { sub: 'a' },
      "oidc: error evaluating user info validation rule: validation expression 'user.username != 'a'' failed: ",
    ],
  ];
  wrong.push(
    [
      'a rule over a claim that is not there',
      { claimValidationRules: [{ expression: 'claims.level > 2' }] },
      { sub: 'a' },
      "oidc: error evaluating claim validation expression: expression 'claims.level > 2' resulted in error: no such key: level",
    ],
    [
      'an expression over a claim that is not there',
      { claimMappings: { username: { expression: 'claims.mail' } } },
      { sub: 'a' },
      "oidc: error evaluating username claim expression: expression 'claims.mail' resulted in error: no such key: mail",
    ],
  );
  for (const [name, entry, claims, why] of wrong) {
    it(`${name}: refused with upstream's words`, () => {
      assert.throws(() => userOfClaims(issuerOf(entry), claims), { message: why });
    });
  }
});
