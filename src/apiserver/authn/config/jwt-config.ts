import { X509Certificate } from 'node:crypto';
import { messageOf } from '#base/errors.ts';
import { createCelEnvironment } from '#cel/mod.ts';
import type { CelEnvironment, CelProgram, CelType } from '#cel/mod.ts';
import type { ClaimRule, ClaimSource, ExpressionRule, JwtIssuer } from '../oidc/jwt-issuer.ts';
import { signatureAlgorithms } from '../oidc/jws.ts';
import type { ConfigErrors } from '../../config-file/config-errors.ts';
import type { ConfigObject } from '../../config-file/config-object.ts';

const text: CelType = { kind: 'string' };
const texts: CelType = { kind: 'list', element: text };
const truth: readonly CelType[] = [{ kind: 'bool' }];
const claimsType: CelType = { kind: 'map', key: text, value: { kind: 'dyn' } };
const userType: CelType = {
  kind: 'object',
  name: 'kubernetes.UserInfo',
  fields: new Map([
    ['username', { type: text }],
    ['uid', { type: text }],
    ['groups', { type: texts }],
    ['extra', { type: { kind: 'map', key: text, value: texts } }],
  ]),
};

interface Reading {
  readonly errors: ConfigErrors;
  readonly claims: CelEnvironment;
  readonly user: CelEnvironment;
}

/** What expressions are compiled in; made once for a file. */
export function createReading(errors: ConfigErrors): Reading {
  return {
    errors,
    claims: createCelEnvironment({ variables: { claims: claimsType } }),
    user: createCelEnvironment({ variables: { user: userType } }),
  };
}

/** One entry of `jwt`; what is wrong goes to the errors and the result is then of no use. */
export function readJwtIssuer(
  entry: ConfigObject,
  reading: Reading,
  disallowedIssuers: readonly string[],
): JwtIssuer | undefined {
  const { errors } = reading;
  entry.only(['issuer', 'claimValidationRules', 'claimMappings', 'userValidationRules']);
  const issuer = entry.object('issuer');
  if (issuer === undefined) {
    errors.required(`${entry.pathOf('issuer')}.url`);
    return undefined;
  }
  const place = readIssuer(issuer, errors, disallowedIssuers);
  const claimRules = readClaimRules(entry, reading);
  const mappings = entry.object('claimMappings');
  const username = readSource(mappings, 'username', reading);
  if (username === undefined) {
    const path = `${entry.pathOf('claimMappings')}.username`;
    if (mappings?.has('username') !== true)
      errors.required(path, 'claim or expression is required');
  }
  const groups = readSource(mappings, 'groups', reading);
  const uid = readUid(mappings, reading);
  const extra = readExtra(mappings, reading);
  checkEmail(entry, errors);
  const userRules = readUserRules(entry, reading);
  if (username === undefined) return undefined;
  return {
    ...place,
    // Unlike --oidc-signing-algs, a file takes all good ones.
    algorithms: [...signatureAlgorithms],
    username,
    groups,
    uid,
    extra,
    claimRules,
    userRules,
  };
}

function readIssuer(
  issuer: ConfigObject,
  errors: ConfigErrors,
  disallowed: readonly string[],
): Pick<JwtIssuer, 'url' | 'discoveryUrl' | 'authority' | 'audiences'> {
  issuer.only([
    'url',
    'discoveryURL',
    'certificateAuthority',
    'audiences',
    'audienceMatchPolicy',
    'egressSelectorType',
  ]);
  const url = issuer.text('url');
  if (url === '') errors.required(issuer.pathOf('url'));
  else checkUrl(url, issuer.pathOf('url'), errors, disallowed);
  const discoveryUrl = issuer.text('discoveryURL');
  if (discoveryUrl !== '') {
    const path = issuer.pathOf('discoveryURL');
    if (discoveryUrl.replace(/\/+$/, '') === url.replace(/\/+$/, '')) {
      errors.invalid(path, discoveryUrl, 'discoveryURL must be different from URL');
    }
    checkUrl(discoveryUrl, path, errors, []);
  }
  const audiences = issuer.texts('audiences');
  const policy = issuer.text('audienceMatchPolicy');
  const policyPath = issuer.pathOf('audienceMatchPolicy');
  if (audiences.length === 0) {
    const path = issuer.pathOf('audiences');
    errors.required(path, `at least one ${path} is required`);
  }
  for (const [index, audience] of audiences.entries()) {
    const path = `${issuer.pathOf('audiences')}[${index}]`;
    if (audience === '') errors.required(path);
    if (audiences.indexOf(audience) !== index) errors.duplicate(path, audience);
  }
  if (audiences.length > 1 && policy !== 'MatchAny') {
    errors.invalid(
      policyPath,
      policy,
      'audienceMatchPolicy must be MatchAny for multiple audiences',
    );
  } else if (policy !== '' && policy !== 'MatchAny') {
    const detail = 'audienceMatchPolicy must be empty or MatchAny for single audience';
    errors.invalid(policyPath, policy, detail);
  }
  const egress = issuer.text('egressSelectorType');
  if (egress !== '') {
    const gate = 'StructuredAuthenticationConfigurationEgressSelector';
    const detail = `egress selector is not supported when ${gate} feature gate is disabled`;
    errors.invalid(issuer.pathOf('egressSelectorType'), egress, detail);
  }
  const authority = issuer.text('certificateAuthority');
  if (authority !== '' && !isBundle(authority)) {
    const detail = 'data does not contain any valid RSA or ECDSA certificates';
    errors.invalid(issuer.pathOf('certificateAuthority'), '<omitted>', detail);
  }
  return {
    url,
    audiences,
    ...(discoveryUrl === '' ? {} : { discoveryUrl }),
    ...(authority === '' ? {} : { authority }),
  };
}

/** What must hold for the address of an issuer, as upstream says it. */
export function checkUrl(
  value: string,
  path: string,
  errors: ConfigErrors,
  disallowed: readonly string[],
): void {
  if (disallowed.includes(value)) {
    const list = `[${[...disallowed].sort().join(' ')}]`;
    errors.invalid(path, value, `URL must not overlap with disallowed issuers: ${list}`);
  }
  let url: URL;
  try {
    url = new URL(value);
  } catch (error) {
    const scheme = 'URL scheme must be https';
    errors.invalid(path, value, value.includes('://') ? messageOf(error) : scheme);
    return;
  }
  if (url.protocol !== 'https:') errors.invalid(path, value, 'URL scheme must be https');
  if (url.username !== '' || url.password !== '') {
    errors.invalid(path, value, 'URL must not contain a username or password');
  }
  if (url.search !== '') errors.invalid(path, value, 'URL must not contain a query');
  if (url.hash !== '') errors.invalid(path, value, 'URL must not contain a fragment');
}

function isBundle(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function compile(
  environment: CelEnvironment,
  expression: string,
  path: string,
  errors: ConfigErrors,
  resultTypes?: readonly CelType[],
): CelProgram | undefined {
  try {
    return environment.compile(expression, resultTypes === undefined ? {} : { resultTypes });
  } catch (error) {
    errors.invalid(path, expression, messageOf(error));
    return undefined;
  }
}

const exclusive = "claim and expression can't both be set";

function readSource(
  mappings: ConfigObject | undefined,
  name: string,
  { errors, claims }: Reading,
): ClaimSource | undefined {
  const source = mappings?.object(name)?.only(['claim', 'prefix', 'expression']);
  if (source === undefined) return undefined;
  const path = mappings?.pathOf(name) ?? name;
  const claim = source.text('claim');
  const expression = source.text('expression');
  if (claim !== '' && expression !== '') {
    errors.invalid(path, '', exclusive);
  } else if (expression !== '') {
    if (source.has('prefix')) {
      const detail = 'may not be specified when expression is set';
      errors.invalid(`${path}.prefix`, source.text('prefix'), detail);
    }
    const at = `${path}.expression`;
    const program = compile(claims, expression, at, errors);
    return program === undefined ? undefined : { expression, program };
  } else if (claim !== '') {
    if (!source.has('prefix')) {
      errors.required(
        `${path}.prefix`,
        'prefix is required when claim is set. It can be set to an empty string to disable prefixing',
      );
    }
    return { claim, prefix: source.text('prefix') };
  } else if (name === 'username') {
    errors.required(path, 'claim or expression is required');
  }
  return undefined;
}

function readUid(
  mappings: ConfigObject | undefined,
  { errors, claims }: Reading,
): ClaimSource | undefined {
  const source = mappings?.object('uid')?.only(['claim', 'expression']);
  if (source === undefined) return undefined;
  const claim = source.text('claim');
  const expression = source.text('expression');
  if (claim !== '' && expression !== '') {
    errors.invalid(mappings?.pathOf('uid') ?? '', '', exclusive);
    return undefined;
  }
  if (claim !== '') return { claim, prefix: '' };
  if (expression === '') return undefined;
  const program = compile(claims, expression, source.pathOf('expression'), errors);
  return program === undefined ? undefined : { expression, program };
}

function readExtra(
  mappings: ConfigObject | undefined,
  { errors, claims }: Reading,
): JwtIssuer['extra'][number][] {
  const seen = new Set<string>();
  return (mappings?.objects('extra') ?? []).flatMap((entry) => {
    entry.only(['key', 'valueExpression']);
    const key = entry.text('key');
    const path = entry.pathOf('key');
    const [domain = '', rest = ''] = key.split('/', 2);
    if (key === '') errors.required(path);
    else if (rest === '' || !domain.includes('.')) {
      errors.invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")');
    }
    if (key !== key.toLowerCase()) errors.invalid(path, key, 'must be lowercase');
    if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain) && rest !== '') {
      const detail = 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use';
      errors.invalid(path, key, detail);
    }
    if (seen.has(key)) {
      errors.duplicate(path, key);
      return [];
    }
    seen.add(key);
    const expression = entry.text('valueExpression');
    const at = entry.pathOf('valueExpression');
    if (expression === '') {
      errors.required(at);
      return [];
    }
    const program = compile(claims, expression, at, errors);
    return program === undefined ? [] : [{ key, expression, program }];
  });
}

function readClaimRules(entry: ConfigObject, { errors, claims }: Reading): ClaimRule[] {
  const seen = new Set<string>();
  return entry.objects('claimValidationRules').flatMap((rule): ClaimRule[] => {
    rule.only(['claim', 'requiredValue', 'expression', 'message']);
    const claim = rule.text('claim');
    const expression = rule.text('expression');
    const path = rule.pathOf('').replace(/\.$/, '');
    if (claim !== '' && expression !== '') errors.invalid(path, claim, exclusive);
    else if (claim === '' && expression === '') {
      errors.required(path, 'claim or expression is required');
    } else if (claim !== '') {
      if (rule.text('message') !== '') {
        const detail = 'may not be specified when claim is set';
        errors.invalid(rule.pathOf('message'), rule.text('message'), detail);
      }
      if (seen.has(`c:${claim}`)) errors.duplicate(rule.pathOf('claim'), claim);
      seen.add(`c:${claim}`);
      return [{ claim, requiredValue: rule.text('requiredValue') }];
    } else {
      if (rule.text('requiredValue') !== '') {
        const detail = 'may not be specified when expression is set';
        errors.invalid(rule.pathOf('requiredValue'), rule.text('requiredValue'), detail);
      }
      return readRule(rule, claims, seen, errors);
    }
    return [];
  });
}

function readUserRules(entry: ConfigObject, { errors, user }: Reading): ExpressionRule[] {
  const seen = new Set<string>();
  return entry.objects('userValidationRules').flatMap((rule) => {
    rule.only(['expression', 'message']);
    if (rule.text('expression') !== '') return readRule(rule, user, seen, errors);
    errors.required(rule.pathOf('expression'));
    return [];
  });
}

function readRule(
  rule: ConfigObject,
  environment: CelEnvironment,
  seen: Set<string>,
  errors: ConfigErrors,
): ExpressionRule[] {
  const expression = rule.text('expression');
  const path = rule.pathOf('expression');
  if (seen.has(expression)) {
    errors.duplicate(path, expression);
    return [];
  }
  seen.add(expression);
  const program = compile(environment, expression, path, errors, truth);
  return program === undefined ? [] : [{ expression, program, message: rule.text('message') }];
}

/** Who takes users from their mail address has to look whether it was verified. */
function checkEmail(entry: ConfigObject, errors: ConfigErrors): void {
  const mappings = entry.object('claimMappings');
  const expression = mappings?.object('username')?.text('expression') ?? '';
  if (!/\bclaims\.\??email\b(?!_)/.test(expression)) return;
  const others = [
    expression,
    ...(mappings?.objects('extra') ?? []).map((one) => one.text('valueExpression')),
    ...entry.objects('claimValidationRules').map((one) => one.text('expression')),
  ];
  if (others.some((one) => /\bclaims\.\??email_verified\b/.test(one))) return;
  errors.invalid(
    `${entry.pathOf('claimMappings')}.username.expression`,
    expression,
    'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
  );
}
