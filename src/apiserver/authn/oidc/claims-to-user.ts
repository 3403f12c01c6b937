import { messageOf } from '#base/errors.ts';
import type { CelBudget, CelProgram } from '#cel/mod.ts';
import type { UserInfo } from '../../request.ts';
import type { ClaimSource, ExpressionRule, JwtIssuer } from './jwt-issuer.ts';

/** Cost that the expressions of one token may have in all. */
const expressionBudget = 10_000_000;

type Claims = Readonly<Record<string, unknown>>;

/**
 * The user that an issuer's rules make of the claims. Throws an Error with upstream's text when a
 * rule does not hold or a claim is missing or of a wrong form.
 */
export function userOfClaims(issuer: JwtIssuer, claims: Claims): UserInfo {
  const budget: CelBudget = { remaining: expressionBudget };
  const name = usernameOf(issuer, claims, budget);
  const groups = issuer.groups === undefined ? [] : groupsOf(issuer.groups, claims, budget);
  for (const rule of issuer.claimRules) {
    if ('program' in rule) checkRule(rule, { claims }, budget, 'claim validation');
    else checkRequired(rule, claims);
  }
  const uid = issuer.uid === undefined ? '' : uidOf(issuer.uid, claims, budget);
  const extra = extraOf(issuer, claims, budget);
  const user: UserInfo = {
    name,
    uid: uid === '' ? undefined : uid,
    groups,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  };
  if (issuer.userRules.length > 0) {
    const shown = {
      username: name,
      groups,
      ...(uid === '' ? {} : { uid }),
      ...(user.extra === undefined ? {} : { extra }),
    };
    for (const rule of issuer.userRules) {
      checkRule(rule, { user: shown }, budget, 'user validation');
    }
  }
  return user;
}

function evaluate(
  program: CelProgram,
  variables: Readonly<Record<string, unknown>>,
  budget: CelBudget,
  what: string,
): unknown {
  try {
    return program.evaluate(variables, budget);
  } catch (error) {
    throw new Error(`oidc: error evaluating ${what}: ${messageOf(error)}`, { cause: error });
  }
}

function usernameOf({ username }: JwtIssuer, claims: Claims, budget: CelBudget): string {
  if ('program' in username) {
    const value = evaluate(username.program, { claims }, budget, 'username claim expression');
    if (typeof value !== 'string') {
      throw new Error('oidc: error evaluating username claim expression: must return a string');
    }
    if (value === '') throw new Error('oidc: empty username via CEL expression is not allowed');
    return value;
  }
  const { claim, prefix } = username;
  const value = claims[claim];
  if (value === undefined)
    throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: claim not present`);
  if (typeof value !== 'string') {
    throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: claim is no string`);
  }
  if (claim === 'email') {
    const verified = claims['email_verified'];
    if (verified !== undefined && verified !== true) {
      if (typeof verified === 'boolean') throw new Error('oidc: email not verified');
      throw new Error("oidc: parse 'email_verified' claim: claim is no boolean");
    }
  }
  return `${prefix}${value}`;
}

function groupsOf(source: ClaimSource, claims: Claims, budget: CelBudget): readonly string[] {
  if ('program' in source) {
    const value = evaluate(source.program, { claims }, budget, 'group claim expression');
    return textsOf(value, 'oidc: error evaluating group claim expression');
  }
  const value = claims[source.claim];
  if (value === undefined || value === null) return [];
  const groups = textsOf(value, `oidc: parse groups claim ${JSON.stringify(source.claim)}`);
  return groups.map((group) => `${source.prefix}${group}`);
}

/** A string stands for a list of one. */
function textsOf(value: unknown, what: string): readonly string[] {
  if (value === null || value === undefined || value === '') return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) {
    return value;
  }
  throw new Error(`${what}: not a string or a list of strings`);
}

function uidOf(source: ClaimSource, claims: Claims, budget: CelBudget): string {
  const value =
    'program' in source
      ? evaluate(source.program, { claims }, budget, 'uid claim expression')
      : claims[source.claim];
  if (value === undefined && !('program' in source)) {
    throw new Error(`oidc: parse uid claim ${JSON.stringify(source.claim)}: claim not present`);
  }
  if (typeof value !== 'string') {
    throw new Error('oidc: error evaluating uid claim expression: must return a string');
  }
  return value;
}

function extraOf(issuer: JwtIssuer, claims: Claims, budget: CelBudget): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const { key, program } of issuer.extra) {
    const value = evaluate(program, { claims }, budget, 'extra claim expression');
    const texts = textsOf(value, `oidc: error evaluating extra claim expression for ${key}`);
    const kept = texts.filter((text) => text !== '');
    if (kept.length > 0) extra[key] = kept;
  }
  return extra;
}

function checkRequired(rule: { claim: string; requiredValue: string }, claims: Claims): void {
  const { claim, requiredValue } = rule;
  const value = claims[claim];
  if (value === undefined) throw new Error(`oidc: required claim ${claim} not present in ID token`);
  if (typeof value !== 'string') {
    throw new Error(`oidc: parse claim ${claim}: claim is no string`);
  }
  if (value !== requiredValue) {
    throw new Error(
      `oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`,
    );
  }
}

function checkRule(
  rule: ExpressionRule,
  variables: Readonly<Record<string, unknown>>,
  budget: CelBudget,
  what: string,
): void {
  if (evaluate(rule.program, variables, budget, `${what} rule`) === true) return;
  const { expression, message } = rule;
  throw new Error(
    message === ''
      ? `oidc: error evaluating ${what} rule: validation expression '${expression}' failed`
      : `oidc: error evaluating ${what} rule: validation expression '${expression}' failed: ${message}`,
  );
}
