export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** How a field's value must look; `texts` are lists of strings, `map` has strings as values. */
export type FieldKind =
  | 'boolean'
  | 'integer'
  | 'number'
  | 'duration'
  | 'text'
  | 'texts'
  | 'map'
  | 'objects'
  | 'object';

/**
 * What setting a field does. `acts`: it is obeyed. `ignored`: accepted without effect, `why` says
 * why nothing is lost. `refused`: another value than the default ends the start with `why`.
 */
export type FieldEffect = 'acts' | 'ignored' | 'refused';

/** One field of KubeletConfiguration; names of fields within objects have dots. */
export interface KubeletField {
  readonly kind: FieldKind;
  /** Undefined for fields that are absent by default. */
  readonly default?: JsonValue | undefined;
  readonly effect: FieldEffect;
  /** The flag of the same meaning, when it is not the name in kebab case. */
  readonly flag?: string | undefined;
  /** For the reference page and the error text; a phrase without a full stop. */
  readonly why?: string | undefined;
}

export type FieldTable = Readonly<Record<string, KubeletField>>;

export function acts(kind: FieldKind, value?: JsonValue, flag?: string): KubeletField {
  return { kind, default: value, effect: 'acts', flag };
}

export function ignored(
  kind: FieldKind,
  value: JsonValue | undefined,
  why: string,
  flag?: string,
): KubeletField {
  return { kind, default: value, effect: 'ignored', why, flag };
}

/** `value` is the only one that is taken. */
export function refused(
  kind: FieldKind,
  value: JsonValue | undefined,
  why: string,
  flag?: string,
): KubeletField {
  return { kind, default: value, effect: 'refused', why, flag };
}

/** `cpuCFSQuotaPeriod` is `cpu-cfs-quota-period`. */
export function flagName(name: string, { flag }: KubeletField): string {
  if (flag !== undefined) return flag;
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
