import { featureGateProblem } from '#schema/feature-gates/mod.ts';

/** How the text of an argument is read; `list` takes commas and may be repeated. */
export type ArgKind = 'boolean' | 'integer' | 'number' | 'duration' | 'text' | 'list';

/**
 * What giving an argument does. `acts`: it is obeyed. `ignored`: accepted without effect, `why`
 * says why nothing is lost. `refused`: ends the start with `why`.
 */
export type ArgEffect = 'acts' | 'ignored' | 'refused';

/** One flag of a component of upstream. */
export interface ComponentArg {
  readonly kind: ArgKind;
  /** As written on the command line; '' for nothing. */
  readonly default: string;
  readonly effect: ArgEffect;
  /** For the reference page and the error text; a phrase without a full stop. */
  readonly why?: string;
  /** Checks the value beyond its kind; returns what is wrong with it. */
  readonly check?: (text: string) => string | undefined;
}

export type ArgTable = Readonly<Record<string, ComponentArg>>;

type Checked = Pick<ComponentArg, 'check'>;

/** An argument that is obeyed. */
export function acts<K extends ArgKind>(
  kind: K,
  defaultText: string,
  extra: Checked = {},
): ComponentArg & { readonly kind: K; readonly effect: 'acts' } {
  return { kind, default: defaultText, effect: 'acts', ...extra };
}

/** An argument that is accepted and has no effect. */
export function ignored<K extends ArgKind>(
  kind: K,
  defaultText: string,
  why: string,
  extra: Checked = {},
): ComponentArg & { readonly kind: K; readonly effect: 'ignored' } {
  return { kind, default: defaultText, effect: 'ignored', why, ...extra };
}

/** An argument that ends the start with `why`. */
export function refused<K extends ArgKind>(
  kind: K,
  why: string,
): ComponentArg & { readonly kind: K; readonly effect: 'refused' } {
  return { kind, default: '', effect: 'refused', why };
}

/** A check: the value is one of these. */
export function oneOf(...values: readonly string[]): Checked {
  return {
    check: (text) =>
      values.includes(text) ? undefined : `must be one of ${values.join(', ')}, not "${text}"`,
  };
}

/** `--feature-gates`: gates cannot be turned, but the defaults may be said. */
export const featureGatesArg = ignored('list', '', 'features are those of the defaults of 1.36', {
  check: featureGateProblem,
});

/** A check: a port, or 0 for none. */
export const portOrNone: Checked = {
  check: (text) =>
    Number(text) >= 0 && Number(text) <= 65_535
      ? undefined
      : `${text} must be between 0 and 65535, inclusive. 0 for turning off secure port`,
};

/** A check: the number (or duration text that starts with one) is above zero. */
export const positive: Checked = {
  check: (text) => (/^-|^[^1-9]*$/.test(text) ? 'must be greater than zero' : undefined),
};

/** A check: the number (or duration text that starts with one) is not negative. */
export const notNegative: Checked = {
  check: (text) => (text.startsWith('-') ? 'must not be negative' : undefined),
};
