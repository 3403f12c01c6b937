/** The types that callers declare, the programs they get and the limits they set. */

/**
 * Declared type of a value. `object` is a map with known fields; its values come in as plain JSON.
 * `maxSize` bounds the estimate of costs (characters of a string, bytes, entries); absent means
 * unbounded.
 */
export type CelType =
  | { readonly kind: ScalarKind; readonly maxSize?: number }
  | {
      readonly kind: 'list';
      readonly element: CelType;
      readonly maxSize?: number;
      /** `x-kubernetes-list-type`: sets and maps compare without order and join as unions. */
      readonly listType?: 'atomic' | 'set' | 'map';
      /** Key fields of a list of type map, as named in the data. */
      readonly mapKeys?: readonly string[];
    }
  | {
      readonly kind: 'map';
      readonly key: CelType;
      readonly value: CelType;
      readonly maxSize?: number;
    }
  | {
      readonly kind: 'object';
      readonly name: string;
      readonly fields: ReadonlyMap<string, CelField>;
      readonly maxSizeBytes?: number;
      /** Fields are reached by their names as they are: types that no schema declares. */
      readonly hasPlainNames?: boolean;
    }
  | { readonly kind: 'abstract'; readonly name: string }
  | { readonly kind: 'optional'; readonly of: CelType };

export type ScalarKind =
  | 'dyn'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'type';

/** A field of an object; `fields` is keyed by the name in the data, not the escaped one. */
export interface CelField {
  readonly type: CelType;
}

/** What is left of an evaluation's cost; `evaluate` decrements it, several programs may share one. */
export interface CelBudget {
  remaining: number;
}

/** Plain JavaScript form of a value: JSON, with bigint for integers beyond the safe range. */
export type CelResult = unknown;

export interface CelProgram {
  readonly resultType: CelType;
  /** Worst case from the declared sizes, as cel-go's checker with Kubernetes' estimator. */
  readonly estimatedCost: { readonly min: bigint; readonly max: bigint };
  /** Names of the variables that occur free in the expression. */
  readonly references: ReadonlySet<string>;
  /**
   * Throws CelRuntimeError with cel-go's message, CelBudgetError when the budget or the limit of
   * one call ends. `variables` are plain JSON, only read, and converted as they are touched.
   */
  evaluate(variables: Readonly<Record<string, unknown>>, budget: CelBudget): CelResult;
  /**
   * As evaluate, with the value as the engine holds it, for use as a variable of another program
   * without losing types; never look into it.
   */
  evaluateValue(variables: Readonly<Record<string, unknown>>, budget: CelBudget): unknown;
}

export interface CompileOptions {
  /** The expression must have exactly one of these types; `dyn` among them allows any. */
  readonly resultTypes?: readonly CelType[];
}

export interface CelEnvironment {
  /** Throws CelCompileError. */
  compile(expression: string, options?: CompileOptions): CelProgram;
}

export type CelExtension = 'bindings' | 'encoders' | 'jsonpatch';

/** Fields of a type that expressions may construct. */
export interface CelMessage {
  /** Undefined for a field that the type does not have. */
  field(name: string): CelType | undefined;
  /** The name that a message in this field must have; undefined where any may stand. */
  nameOf?(field: string): string;
}

/** The type with a name; undefined for one that may not be constructed. */
export type CelMessages = (name: string) => CelMessage | undefined;

export interface CelEnvironmentOptions {
  readonly variables: Readonly<Record<string, CelType>>;
  /** Declares the functions on authorizer values (default true); variables are declared apart. */
  readonly authorizer?: boolean;
  /** Libraries that Kubernetes enables in some places only (device selectors, JSON patches). */
  readonly extensions?: readonly CelExtension[];
  /** Types that expressions may construct, `Name{field: value}`; absent: none. */
  readonly messages?: CelMessages;
  /** Constant folding (default true); off only to compare costs with cel-go's own tests. */
  readonly foldsConstants?: boolean;
}
