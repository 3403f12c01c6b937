import type { FieldError } from '#schema/mod.ts';
import type { SchemaFieldPath } from '#schema/structural/mod.ts';
import { renderValue } from '#schema/validation/mod.ts';

/**
 * The error of a rule by the reason that it names. Only scalars are shown: upstream leaves objects
 * and lists out.
 */
export function ruleError(
  path: SchemaFieldPath,
  value: unknown,
  detail: string,
  reason = 'FieldValueInvalid',
): FieldError {
  const text = path.toString();
  const field = text === '' ? '<nil>' : text;
  switch (reason) {
    case 'FieldValueForbidden':
      return { type: reason, field, message: `Forbidden: ${detail}` };
    case 'FieldValueRequired':
      return { type: reason, field, message: `Required value: ${detail}` };
    case 'FieldValueDuplicate':
      return { type: reason, field, message: withValue('Duplicate value', value) };
    default: {
      const message = `${withValue('Invalid value', value)}: ${detail}`;
      return { type: 'FieldValueInvalid', field, message };
    }
  }
}

function withValue(label: string, value: unknown): string {
  return typeof value === 'object' ? label : `${label}: ${renderValue(value)}`;
}
