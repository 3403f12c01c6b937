import type { CelProgram } from '#cel/mod.ts';

/** A claim that becomes a part of the user, or an expression over all claims. */
export type ClaimSource = { readonly claim: string; readonly prefix: string } | Expression;

/** A compiled expression, with its text for messages. */
export interface Expression {
  readonly expression: string;
  readonly program: CelProgram;
}

/** A rule that has to hold for the claims. */
export type ClaimRule = { readonly claim: string; readonly requiredValue: string } | ExpressionRule;

export interface ExpressionRule extends Expression {
  readonly message: string;
}

/** One trusted issuer, its configuration checked and its expressions compiled. */
export interface JwtIssuer {
  readonly url: string;
  readonly discoveryUrl?: string | undefined;
  readonly authority?: string | undefined;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly username: ClaimSource;
  readonly groups?: ClaimSource | undefined;
  readonly uid?: ClaimSource | undefined;
  readonly extra: readonly (Expression & { readonly key: string })[];
  readonly claimRules: readonly ClaimRule[];
  readonly userRules: readonly ExpressionRule[];
}
