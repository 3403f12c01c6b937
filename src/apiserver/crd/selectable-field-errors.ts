import type { FieldError } from '#schema/mod.ts';
import type { RawSchema, SchemaFieldPath } from '#schema/structural/mod.ts';
import { isRawSchema, rootOfObject } from '#schema/structural/mod.ts';
import { jsonEqual } from '#schema/patch/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';

const selectableTypes: ReadonlySet<unknown> = new Set(['string', 'boolean', 'integer']);

/** Selectable fields that the schema does not have, or that have no short text. */
export function selectableFieldErrors({ spec }: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  const { versions } = spec;
  const isShared = versions.every(
    ({ selectableFields, schema }) =>
      jsonEqual(selectableFields, versions[0]?.selectableFields) &&
      jsonEqual(schema, versions[0]?.schema),
  );
  versions.forEach((version, index) => {
    if (isShared && index > 0) return;
    const specPath = rootOfObject.child('spec');
    const parent = isShared ? specPath : specPath.child('versions').at(index);
    const schema = version.schema?.openAPIV3Schema;
    (version.selectableFields ?? []).forEach(({ jsonPath }, at) => {
      if (jsonPath === '' || /^\.metadata(\.|$)/.test(jsonPath) || !isRawSchema(schema)) return;
      const path = parent.child('selectableFields').at(at).child('jsonPath');
      check(errors, path, jsonPath, schema);
    });
  });
  return errors;
}

function check(
  errors: FieldError[],
  path: SchemaFieldPath,
  jsonPath: string,
  schema: RawSchema,
): void {
  const say = (detail: string): void => {
    const message = `Invalid value: ${JSON.stringify(jsonPath)}: ${detail}`;
    errors.push({ type: 'FieldValueInvalid', field: path.toString(), message });
  };
  const found = findField(jsonPath, schema);
  if (typeof found === 'string') say(`is an invalid path: ${found}`);
  else if (!selectableTypes.has(found['type'])) {
    say(
      'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
    );
  }
}

/** The schema of a field, or why there is none. */
function findField(jsonPath: string, schema: RawSchema): RawSchema | string {
  if (jsonPath.includes('[')) return 'array notation is not allowed';
  if (!jsonPath.startsWith('.')) return `expected [ or . but got: ${jsonPath.split('.')[0] ?? ''}`;
  let at: RawSchema = schema;
  for (const step of jsonPath.slice(1).split('.')) {
    const { properties, additionalProperties } = at as {
      properties?: unknown;
      additionalProperties?: unknown;
    };
    const next: unknown = isRawSchema(properties)
      ? Object.hasOwn(properties, step) && properties[step]
      : additionalProperties;
    if (!isRawSchema(next)) return 'does not refer to a valid field';
    at = next;
  }
  return at;
}
