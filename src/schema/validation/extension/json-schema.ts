/** A JSON schema as decoding leaves it; parts of several forms are not described by its type. */
export type Schema = Readonly<Record<string, unknown>>;

/** How deep a schema is looked into; deeper ones are taken as they are. */
export const maxSchemaDepth = 64;

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
