/** JSON schema as far as OpenAPI documents of the API use it. */
export interface JsonSchema {
  $ref?: string;
  description?: string;
  type?: string;
  format?: string;
  default?: unknown;
  enum?: readonly unknown[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: readonly string[];
  allOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  [extension: `x-${string}`]: unknown;
}

export interface GroupVersionKindExtension {
  group: string;
  version: string;
  kind: string;
}

/** The two document versions differ in where types live and in how they can be referred to. */
export interface Dialect {
  readonly version: 2 | 3;
  readonly refPrefix: string;
}

export const v2Dialect: Dialect = { version: 2, refPrefix: '#/definitions/' };
export const v3Dialect: Dialect = { version: 3, refPrefix: '#/components/schemas/' };

export function refTo(typeName: string, dialect: Dialect): JsonSchema {
  return { $ref: dialect.refPrefix + typeName };
}
