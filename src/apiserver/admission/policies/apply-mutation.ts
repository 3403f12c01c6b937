import { hasCode, messageOf } from '#base/errors.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { applyDefaults, conform } from '#schema/mod.ts';
import { mergeConfiguration } from '#schema/apply/mod.ts';
import { applyJsonPatch } from '#schema/patch/mod.ts';
import type { TypeLookup } from '#schema/patch/mod.ts';
import { copyJson } from '../../json-copy.ts';
import type { MutationResult } from './mutating-evaluator.ts';

/**
 * The object with one mutation: fresh, read like a body and defaulted; the same object when a test
 * of a JSON patch fails. Throws an Error with upstream's text for what does not fit.
 */
export function mutatedObject(
  object: UnknownObject,
  result: Exclude<MutationResult, Error>,
  resource: Pick<ResourceInfo, 'typeName'>,
  types: TypeLookup | undefined,
): UnknownObject {
  const { typeName } = resource;
  const mutated =
    result.type === 'JSONPatch'
      ? patched(object, result.operations)
      : configured(object, result.configuration, typeName, types);
  if (mutated === object) return object;
  const known = typeName === '' ? undefined : typeName;
  const fresh = copyJson(conform(mutated, known, 'Ignore').object);
  if (known !== undefined) applyDefaults(fresh, known);
  return fresh;
}

function patched(object: UnknownObject, operations: readonly unknown[]): UnknownObject {
  try {
    return applyJsonPatch(object, operations);
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    if (isFailedTest(cause)) return object;
    throw new Error(`JSONPath: ${messageOf(cause)}`, { cause: error });
  }
}

function isFailedTest(cause: unknown): boolean {
  return messageOf(cause).startsWith('testing value ');
}

function configured(
  object: UnknownObject,
  applied: Readonly<Record<string, unknown>>,
  typeName: string,
  types: TypeLookup | undefined,
): UnknownObject {
  try {
    return mergeConfiguration({ live: object, applied, typeName, types });
  } catch (error) {
    const what = hasCode(error, 'InvalidConfiguration')
      ? 'invalid ApplyConfiguration'
      : 'failed to convert patch object to typed object';
    throw new Error(`error applying patch: ${what}: ${messageOf(error)}`, { cause: error });
  }
}
