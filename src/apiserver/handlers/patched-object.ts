import { ApiStatusError } from '#base/api-status-error.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { groupVersion, unconvertibleText } from '#schema/mod.ts';
import { goText } from '#schema/patch/mod.ts';
import { invalid } from '../api-errors.ts';
import { bodyTypeOf, checkType, conformObject, typeProblem } from '../pipeline/read-object.ts';
import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import type { DecodedPatch } from './decoded-patch.ts';
import type { FieldValidation } from './write-options.ts';

type PlainPatch = Exclude<DecodedPatch, { type: 'apply' }>;

/**
 * The object that a patch made, checked as a body is. What is wrong with it is told of the patch,
 * as upstream does: Invalid without a kind, with the patched object (of a strategic patch: the
 * patch) as its value.
 */
export function conformPatched(
  context: RequestContext,
  served: ServedResource,
  patched: UnknownObject,
  options: { mode: FieldValidation; old: UnknownObject; patch: PlainPatch },
): UnknownObject {
  const { mode, old, patch } = options;
  const findings = patch.findings ?? [];
  const wanted = bodyTypeOf(served);
  const isCustom = served.custom !== undefined;
  // a strategic patch goes from maps to the struct of the kind, whatever they say of theirs
  const isUntold = isCustom || patch.type === 'strategic';
  const problem = isUntold ? undefined : typeProblem(patched, wanted);
  if (problem !== undefined) throw invalidPatch(patched, patch, problem);
  let object: UnknownObject;
  try {
    object = conformObject(context, served, patched, mode, old, findings);
  } catch (error) {
    if (!(error instanceof ApiStatusError) || error.cause === undefined) throw error;
    throw invalidPatch(patched, patch, reasonOf(error.cause, patch));
  }
  if (isCustom) {
    checkType(object, wanted);
    return object;
  }
  const { kind } = wanted;
  const apiVersion = groupVersion(wanted);
  const isTold = object.kind === kind && object.apiVersion === apiVersion;
  return isTold ? object : { ...object, kind, apiVersion };
}

function reasonOf(cause: unknown, patch: PlainPatch): string {
  if (patch.type !== 'strategic' || hasCode(cause, 'StrictDecoding')) return messageOf(cause);
  return unconvertibleText(cause) ?? messageOf(cause);
}

function invalidPatch(patched: UnknownObject, patch: PlainPatch, reason: string): ApiStatusError {
  const value = patch.type === 'strategic' ? goText(patch.body) : sortedJson(patched);
  return invalid({ group: '', kind: '' }, '', [
    {
      type: 'FieldValueInvalid',
      field: 'patch',
      message: `Invalid value: ${JSON.stringify(value)}: ${reason}`,
    },
  ]);
}

/** JSON with the fields of the document in the order of their names, as upstream patches it. */
function sortedJson(value: UnknownObject): string {
  const fields = value as Record<string, unknown>;
  const keys = Object.keys(fields).toSorted();
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, fields[key]])));
}
