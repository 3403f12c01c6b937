import type { FieldError, UnknownObject } from '#schema/mod.ts';
import { applyDefaults } from '#schema/mod.ts';
import type { TypeLookup } from '#schema/patch/mod.ts';
import { validateCreate, validateUpdate } from '#schema/validation/mod.ts';
import { methodNotAllowed } from '../api-errors.ts';
import { ApiStatusError } from '#base/api-status-error.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { hookScope } from '../pipeline/write-scope.ts';
import type { WriteScope } from '../pipeline/write-scope.ts';

/**
 * The steps of a write that go by the kind's type: the type table for built-in kinds, the schema of
 * the definition for custom ones.
 */

/** The object with its defaults; built-in kinds get them in place. */
export function withDefaults(served: ServedResource, object: UnknownObject): UnknownObject {
  if (served.custom !== undefined) return served.custom.withDefaults(object);
  applyDefaults(object, served.info.typeName);
  return object;
}

/**
 * What mutating admission left of `before`, brought into form again where plugins could break it.
 * Untouched objects stay as they are: nulls that were applied are for validation to judge.
 */
export function afterMutation(
  served: ServedResource,
  object: UnknownObject,
  before: UnknownObject,
): UnknownObject {
  const { custom } = served;
  if (custom === undefined || object === before) return object;
  return custom.withDefaults(custom.decode(object, 'Ignore').object);
}

/** Everything that is wrong with a new object; what is only worth a warning is noted. */
export function findErrors(scope: WriteScope, object: UnknownObject): FieldError[] {
  const { served, context } = scope;
  const errors = validateCreate(served.info, object);
  return [...errors, ...kindErrors(scope, context, object, undefined, errors.length > 0)];
}

/** The same for a change of `old`. */
export function findUpdateErrors(
  scope: WriteScope,
  object: UnknownObject,
  old: UnknownObject,
): FieldError[] {
  const { served, context, subresource } = scope;
  const errors = validateUpdate(served.info, object, old, subresource);
  return [...errors, ...kindErrors(scope, context, object, old, errors.length > 0)];
}

function kindErrors(
  scope: WriteScope,
  context: ResourceRequestContext,
  object: UnknownObject,
  old: UnknownObject | undefined,
  isInvalid: boolean,
): readonly FieldError[] {
  const { served, subresource } = scope;
  if (served.custom === undefined) {
    if (isInvalid) return noErrors;
    return served.hooks.validate?.(object, old, hookScope(scope)) ?? noErrors;
  }
  const { errors, warnings } = served.custom.validate(object, old, subresource);
  for (const warning of warnings) context.warnings.add(warning);
  return errors;
}

const noErrors: readonly FieldError[] = [];

/** The types that managed fields go by, where they are not the built-in ones. */
export function typesOf({ custom }: ServedResource): { types?: TypeLookup } {
  return custom === undefined ? {} : { types: custom.types };
}

/** Throws MethodNotAllowed while the definition of a custom kind is being deleted. */
export function refuseWhileTerminating({ custom, info }: ServedResource): void {
  if (custom?.isTerminating !== true) return;
  const refusal = methodNotAllowed(info, 'create');
  throw new ApiStatusError({
    httpCode: refusal.httpCode,
    reason: refusal.reason,
    message: 'create not allowed while custom resource definition is terminating',
    details: refusal.details,
  });
}

/** The object in the version that is stored. */
export function storedForm(
  { custom, conversion }: ServedResource,
  object: UnknownObject,
): UnknownObject | Promise<UnknownObject> {
  if (custom !== undefined) return custom.toStored(object);
  return conversion === undefined ? object : conversion.toStored(object);
}
