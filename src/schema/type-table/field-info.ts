/** Scalars by what they are in Go and on the wire; all but numbers and bool are JSON strings. */
export type ScalarType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bool'
  /** base64 of bytes */
  | 'byte'
  /** RFC 3339 with seconds */
  | 'time'
  /** RFC 3339 with six digits after the second */
  | 'micro-time'
  | 'duration'
  | 'quantity'
  | 'int-or-string';

/** Values whose inside is not described: objects, any JSON, and three forms of JSON schema. */
export type UntypedForm =
  | 'object'
  | 'json'
  | 'schema-or-list'
  | 'schema-or-bool'
  | 'schema-or-strings';

/** The shape of a value: of a field, of a list's items, or of a map's values. */
export interface ValueInfo {
  readonly kind: 'scalar' | 'list' | 'map' | 'struct' | 'untyped';
  readonly scalar: ScalarType | undefined;
  readonly untyped: UntypedForm | undefined;
  /** OpenAPI name of a struct. */
  readonly typeName: string | undefined;
  /** Items of a list, values of a map. */
  readonly element: ValueInfo | undefined;
}

/** A set of strings. `isEnforced`: the API rejects others; `isDocumented`: OpenAPI lists it. */
export interface EnumInfo {
  /** As Go prints the type in errors: v1.Protocol. */
  readonly goType: string;
  readonly values: readonly string[];
  readonly isDocumented: boolean;
  readonly isEnforced: boolean;
}

export interface FieldInfo extends ValueInfo {
  readonly name: string;
  readonly required: boolean;
  /**
   * False when Go holds the field by value: an empty scalar is then the same as none, and an
   * absent struct is written as {}.
   */
  readonly isPointer: boolean;
  /** Of lists; `atomic` where the API has no marker. */
  readonly listType: 'atomic' | 'set' | 'map' | undefined;
  /** False when listType is a default or follows from patchStrategy; OpenAPI then leaves it out. */
  readonly hasListTypeMarker: boolean;
  readonly listMapKeys: readonly string[];
  /** Of maps. */
  readonly mapType: 'granular' | 'atomic' | undefined;
  /** Of structs; the field's own marker, else that of its type. */
  readonly structType: 'granular' | 'atomic' | undefined;
  /** What the field itself says of structType. */
  readonly structTypeMarker: 'granular' | 'atomic' | undefined;
  /** Of strategic merge patch: any of merge, replace, retainKeys. */
  readonly patchStrategy: readonly string[];
  readonly patchMergeKey: string | undefined;
  readonly enum: EnumInfo | undefined;
  /** The constant that an absent field gets, if it gets one whatever stands beside it. */
  readonly defaultValue: unknown;
}

export interface TypeInfo {
  /** OpenAPI name: io.k8s.api.core.v1.PodSpec. */
  readonly name: string;
  /** PodSpec */
  readonly kind: string;
  /** v1 */
  readonly version: string;
  /** v1.PodSpec, as Go prints it in errors. */
  readonly goType: string;
  readonly fields: ReadonlyMap<string, FieldInfo>;
  /** Whether server-side apply owns values of this type as a whole. */
  readonly structType: 'granular' | 'atomic';
}
