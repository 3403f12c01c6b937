/** A JSON schema as decoding leaves it. */
export type RawSchema = Readonly<Record<string, unknown>>;

/** One rule of x-kubernetes-validations. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** What a node says of its values beyond their types. */
export interface ValueChecks {
  readonly format: string | undefined;
  readonly maxLength: number | undefined;
  readonly minLength: number | undefined;
  readonly pattern: string | undefined;
  readonly maximum: number | undefined;
  readonly exclusiveMaximum: boolean;
  readonly minimum: number | undefined;
  readonly exclusiveMinimum: boolean;
  readonly multipleOf: number | undefined;
  readonly maxItems: number | undefined;
  readonly minItems: number | undefined;
  readonly maxProperties: number | undefined;
  readonly minProperties: number | undefined;
  readonly required: readonly string[];
  readonly enumValues: readonly unknown[] | undefined;
  readonly allOf: readonly Structural[];
  readonly anyOf: readonly Structural[];
  readonly oneOf: readonly Structural[];
  readonly not: Structural | undefined;
}

/**
 * One node of a custom resource's schema, parsed once and then only read. The flags that start
 * with `has` speak of the node and everything below it, so that walks can stop early.
 */
export interface Structural extends ValueChecks {
  readonly raw: RawSchema;
  /** Empty: any type. Several for int-or-string. */
  readonly types: readonly string[];
  readonly nullable: boolean;
  readonly isEmbedded: boolean;
  readonly preservesUnknown: boolean;
  readonly isIntOrString: boolean;
  readonly properties: ReadonlyMap<string, Structural> | undefined;
  /** Schema of values under other keys; true or false when the schema says just that. */
  readonly additional: Structural | boolean | undefined;
  readonly items: Structural | undefined;
  readonly defaultValue: unknown;
  readonly listType: string | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: string | undefined;
  readonly rules: readonly ValidationRule[];
  /** Properties that have a default, in order. */
  readonly defaulted: readonly (readonly [name: string, property: Structural])[];
  readonly hasDefaults: boolean;
  readonly hasListTypes: boolean;
  readonly hasEmbedded: boolean;
  readonly hasRules: boolean;
  /** Something below keeps or has to be pruned: false for a node that keeps all there can be. */
  readonly isOpen: boolean;
}

/** Deeper schemas are cut off there, as anything would be below. */
const maxDepth = 256;
const noStrings: readonly string[] = [];
const noNodes: readonly Structural[] = [];
const noRules: readonly ValidationRule[] = [];
const noDefaults: Structural['defaulted'] = [];
const intOrString: readonly string[] = ['integer', 'string'];

export function isRawSchema(value: unknown): value is RawSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses the schema of one version of a custom resource; the raw schema is kept, not copied. */
export function parseStructural(raw: RawSchema): Structural {
  return parse(raw, 0);
}

function parse(raw: RawSchema, depth: number): Structural {
  const child = (value: unknown): Structural | undefined =>
    isRawSchema(value) && depth < maxDepth ? parse(value, depth + 1) : undefined;
  const many = (value: unknown): readonly Structural[] =>
    Array.isArray(value) ? value.flatMap((one) => child(one) ?? []) : noNodes;
  const properties = parseProperties(raw['properties'], child);
  const additional =
    typeof raw['additionalProperties'] === 'boolean'
      ? raw['additionalProperties']
      : child(raw['additionalProperties']);
  const items = child(raw['items']);
  const rules = raw['x-kubernetes-validations'];
  const listType = textOf(raw['x-kubernetes-list-type']);
  const isEmbedded = raw['x-kubernetes-embedded-resource'] === true;
  const defaulted = defaultedOf(properties);
  const allOf = many(raw['allOf']);
  const below = [...(properties?.values() ?? [])];
  if (items !== undefined) below.push(items);
  if (typeof additional === 'object') below.push(additional);
  const own = Array.isArray(rules) ? (rules as ValidationRule[]) : noRules;
  return {
    ...checksOf(raw),
    allOf,
    anyOf: many(raw['anyOf']),
    oneOf: many(raw['oneOf']),
    not: child(raw['not']),
    raw,
    types: typesOf(raw),
    nullable: raw['nullable'] === true,
    isEmbedded,
    preservesUnknown: raw['x-kubernetes-preserve-unknown-fields'] === true,
    isIntOrString: raw['x-kubernetes-int-or-string'] === true,
    properties,
    additional,
    items,
    defaultValue: raw['default'],
    listType,
    listMapKeys: listOf(raw['x-kubernetes-list-map-keys']),
    mapType: textOf(raw['x-kubernetes-map-type']),
    rules: own,
    defaulted,
    hasDefaults:
      defaulted.length > 0 ||
      below.some((node) => node.hasDefaults || node.defaultValue !== undefined),
    hasListTypes:
      listType === 'set' || listType === 'map' || below.some((node) => node.hasListTypes),
    hasEmbedded: isEmbedded || below.some((node) => node.hasEmbedded),
    hasRules: own.length > 0 || [...below, ...allOf].some((node) => node.hasRules),
    isOpen: below.length === 0 && raw['x-kubernetes-preserve-unknown-fields'] === true,
  };
}

type Checks = Omit<ValueChecks, 'allOf' | 'anyOf' | 'oneOf' | 'not'>;

function checksOf(raw: RawSchema): Checks {
  return {
    format: textOf(raw['format']),
    maxLength: numberOf(raw['maxLength']),
    minLength: numberOf(raw['minLength']),
    pattern: textOf(raw['pattern']),
    maximum: numberOf(raw['maximum']),
    exclusiveMaximum: raw['exclusiveMaximum'] === true,
    minimum: numberOf(raw['minimum']),
    exclusiveMinimum: raw['exclusiveMinimum'] === true,
    multipleOf: numberOf(raw['multipleOf']),
    maxItems: numberOf(raw['maxItems']),
    minItems: numberOf(raw['minItems']),
    maxProperties: numberOf(raw['maxProperties']),
    minProperties: numberOf(raw['minProperties']),
    required: listOf(raw['required']),
    enumValues: Array.isArray(raw['enum']) && raw['enum'].length > 0 ? raw['enum'] : undefined,
  };
}

function parseProperties(
  raw: unknown,
  child: (value: unknown) => Structural | undefined,
): ReadonlyMap<string, Structural> | undefined {
  if (!isRawSchema(raw)) return undefined;
  const properties = new Map<string, Structural>();
  for (const name of Object.keys(raw)) {
    const property = child(raw[name]);
    if (property !== undefined) properties.set(name, property);
  }
  return properties.size === 0 ? undefined : properties;
}

function defaultedOf(
  properties: ReadonlyMap<string, Structural> | undefined,
): Structural['defaulted'] {
  if (properties === undefined) return noDefaults;
  const found = [...properties].filter(([, property]) => hasDefault(property));
  return found.length === 0 ? noDefaults : found;
}

export function hasDefault(node: Structural): boolean {
  return node.defaultValue !== undefined && node.defaultValue !== null;
}

function typesOf(raw: RawSchema): readonly string[] {
  if (raw['x-kubernetes-int-or-string'] === true) return intOrString;
  const type = raw['type'];
  return typeof type === 'string' && type !== '' ? [type] : noStrings;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) && value.length > 0 ? value.map(String) : noStrings;
}
