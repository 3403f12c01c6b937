import type { FieldError, UnknownObject } from '#schema/mod.ts';
import type { Structural } from '#schema/structural/mod.ts';
import {
  unrelated,
  validateEmbedded,
  validateListTypes,
  validateSchema,
} from '#schema/structural/mod.ts';
import { rootOfObject, statusOfObject } from '#schema/structural/mod.ts';
import type { CustomFindings, ScalePaths } from '../custom-kind.ts';
import type { RuleChecker } from './rules/mod.ts';
import { createRuleChecker } from './rules/mod.ts';
import { finalizerWarnings } from './finalizer-warnings.ts';

/** The checks of one version of a kind, compiled once. */
export interface KindValidator {
  validate(
    object: UnknownObject,
    old: UnknownObject | undefined,
    subresource: string,
  ): CustomFindings;
}

/** Errors after which rules in CEL could only fail on their own account. */
const blocking: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const blocked: FieldError = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

/** Upstream's order: schema, scale, embedded resources, list types, rules in CEL. */
export function createKindValidator(
  schema: Structural | undefined,
  scale: ScalePaths | undefined,
): KindValidator {
  const rules: RuleChecker | undefined =
    schema?.hasRules === true ? createRuleChecker(schema) : undefined;
  return {
    validate(object, old, subresource) {
      const errors: FieldError[] = [];
      const warnings = finalizerWarnings(object, old);
      if (schema !== undefined) errors.push(...schemaErrors(schema, object, old, subresource));
      if (scale !== undefined) errors.push(...scaleErrors(object, scale, subresource));
      if (schema === undefined) return { errors, warnings };
      errors.push(...validateEmbedded(object, schema));
      const hadBadLists = old !== undefined && validateListTypes(old, schema).length > 0;
      if (!hadBadLists) errors.push(...validateListTypes(object, schema));
      if (rules === undefined) return { errors, warnings };
      if (errors.some(({ type }) => blocking.has(type))) {
        errors.push(blocked);
        return { errors, warnings };
      }
      const found = rules.check(object, old);
      return { errors: [...errors, ...found.errors], warnings: [...warnings, ...found.warnings] };
    },
  };
}

/** A status is checked by itself against its own part of the schema. */
function schemaErrors(
  schema: Structural,
  object: UnknownObject,
  old: UnknownObject | undefined,
  subresource: string,
): readonly FieldError[] {
  if (subresource !== 'status') {
    return validateSchema(object, schema, rootOfObject, old ?? unrelated);
  }
  const status = schema.properties?.get('status');
  const value = object['status'];
  if (status === undefined || value === undefined) return [];
  return validateSchema(value, status, statusOfObject, old?.['status'] ?? unrelated);
}

function scaleErrors(
  object: UnknownObject,
  paths: ScalePaths,
  subresource: string,
): readonly FieldError[] {
  const wanted =
    subresource === 'status' ? [paths.statusReplicas] : [paths.specReplicas, paths.statusReplicas];
  return wanted.flatMap((path) => {
    const value = numberAt(object, path);
    const say = (detail: string): FieldError[] => [
      { type: 'FieldValueInvalid', field: path, message: `Invalid value: ${value}: ${detail}` },
    ];
    if (value === undefined) return [];
    if (value < 0) return say('should be a non-negative integer');
    return value > 2147483647 ? say('should be less than or equal to 2147483647') : [];
  });
}

function numberAt(object: UnknownObject, path: string): number | undefined {
  let value: unknown = object;
  for (const step of path.replace(/^\./, '').split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return typeof value === 'number' ? value : undefined;
}
