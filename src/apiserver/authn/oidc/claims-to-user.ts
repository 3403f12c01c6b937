import { messageOf } from '#base/errors.ts';
import type { CelBudget } from '#cel/mod.ts';
import type { UserInfo } from '../../request.ts';
import type { ClaimSource, Expression, ExpressionRule, JwtIssuer } from './jwt-issuer.ts';

/** Cost that the expressions of one token may have in all. */
const expressionBudget = 10_000_000;

type Claims = Readonly<Record<string, unknown>>;
type Variables = Readonly<Record<string, unknown>>;

/**
 * The user that an issuer's rules make of the claims. Throws an Error with upstream's text when a
 * rule does not hold or a claim is missing or of a wrong form.
 */
export function userOfClaims(issuer: JwtIssuer, claims: Claims): UserInfo {
  const budget: CelBudget = { remaining: expressionBudget };
  const name = usernameOf(issuer, claims, budget);
  const groups = issuer.groups === undefined ? [] : groupsOf(issuer.groups, claims, budget);
  const uid = issuer.uid === undefined ? '' : uidOf(issuer.uid, claims, budget);
  const extra = extraOf(issuer, claims, budget);
  for (const rule of issuer.claimRules) {
    if (!('program' in rule)) checkRequired(rule, claims);
  }
  const claimRules = issuer.claimRules.filter((rule) => 'program' in rule);
  checkRules(claimRules, { claims }, budget, 'claim validation expression');
  // rules may read every field, also an empty one
  const user = { username: name, uid, groups, extra };
  checkRules(issuer.userRules, { user }, budget, 'user info validation rule');
  return {
    name,
    uid: uid === '' ? undefined : uid,
    groups,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  };
}

function evaluate(
  { expression, program }: Expression,
  variables: Variables,
  budget: CelBudget,
): unknown {
  try {
    return program.evaluate(variables, budget);
  } catch (error) {
    throw new Error(`expression '${expression}' resulted in error: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Runs `work`; what it throws is told with what it was for. */
function telling<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`oidc: ${what}: ${messageOf(error)}`, { cause: error });
  }
}

function usernameOf({ username }: JwtIssuer, claims: Claims, budget: CelBudget): string {
  if ('program' in username) {
    const value = telling('error evaluating username claim expression', () =>
      textOfExpression(username, claims, budget, 'username'),
    );
    if (value === '') throw new Error('oidc: empty username via CEL expression is not allowed');
    return value;
  }
  const { claim, prefix } = username;
  const value = telling(`parse username claims ${JSON.stringify(claim)}`, () =>
    textClaim(claims, claim),
  );
  if (claim === 'email') checkVerified(claims);
  return `${prefix}${value}`;
}

function checkVerified(claims: Claims): void {
  const verified = claims['email_verified'];
  if (verified === undefined || verified === true) return;
  if (verified === false || verified === null) throw new Error('oidc: email not verified');
  throw new Error(`oidc: parse 'email_verified' claim: ${mismatch(verified, 'bool')}`);
}

function groupsOf(source: ClaimSource, claims: Claims, budget: CelBudget): readonly string[] {
  if ('program' in source) {
    return telling('error evaluating group claim expression', () =>
      textsOf(evaluate(source, { claims }, budget)),
    );
  }
  const { claim, prefix } = source;
  const value = claims[claim];
  if (value === undefined || value === null) return [];
  const groups = Array.isArray(value) ? value : [value];
  if (!groups.every((group) => typeof group === 'string')) {
    throw new Error(
      `oidc: parse groups claim ${JSON.stringify(claim)}: ${mismatch(value, 'string')}`,
    );
  }
  return groups.map((group) => `${prefix}${group}`);
}

function uidOf(source: ClaimSource, claims: Claims, budget: CelBudget): string {
  if ('program' in source) {
    return telling('error evaluating uid claim expression', () =>
      textOfExpression(source, claims, budget, 'uid'),
    );
  }
  const { claim } = source;
  return telling(`parse uid claim ${JSON.stringify(claim)}`, () => textClaim(claims, claim));
}

function extraOf(issuer: JwtIssuer, claims: Claims, budget: CelBudget): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const one of issuer.extra) {
    const value = evaluate(one, { claims }, budget);
    const texts = telling(`error evaluating extra claim expression: ${one.expression}`, () =>
      textsOf(value),
    );
    if (texts.length > 0) extra[one.key] = texts;
  }
  return extra;
}

function textOfExpression(of: Expression, claims: Claims, budget: CelBudget, what: string): string {
  const value = evaluate(of, { claims }, budget);
  if (typeof value === 'string') return value;
  throw new Error(`${what} claim expression must return a string`);
}

/** A text stands for a list of one; what is empty is left out. */
function textsOf(value: unknown): string[] {
  const texts = value === null || value === undefined ? [] : [value].flat();
  if (!texts.every((text) => typeof text === 'string')) {
    throw new Error('expression must return a string or a list of strings');
  }
  return texts.filter((text) => text !== '');
}

function textClaim(claims: Claims, claim: string): string {
  const value = claims[claim];
  if (value === undefined || value === null) throw new Error('claim not present');
  if (typeof value !== 'string') throw new Error(mismatch(value, 'string'));
  return value;
}

/** What Go's decoder says to a value of another type. */
function mismatch(value: unknown, wanted: string): string {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${found} into Go value of type ${wanted}`;
}

function checkRequired(rule: { claim: string; requiredValue: string }, claims: Claims): void {
  const { claim, requiredValue } = rule;
  if (claims[claim] === undefined) {
    throw new Error(`oidc: required claim ${claim} not present in ID token`);
  }
  const value = telling(`parse claim ${claim}`, () => textClaim(claims, claim));
  if (value !== requiredValue) {
    throw new Error(
      `oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`,
    );
  }
}

/** All rules are evaluated before the first that does not hold is told, as upstream. */
function checkRules(
  rules: readonly ExpressionRule[],
  variables: Variables,
  budget: CelBudget,
  what: string,
): void {
  telling(`error evaluating ${what}`, () => {
    const broken = rules.filter((rule) => evaluate(rule, variables, budget) !== true);
    const [first] = broken;
    if (first === undefined) return;
    throw new Error(`validation expression '${first.expression}' failed: ${first.message}`);
  });
}
