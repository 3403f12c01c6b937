import { ApiStatusError } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { Structural } from '#schema/structural/mod.ts';
import { conformEmbedded, conformMeta, pruneObject } from '#schema/structural/mod.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Upstream stops collecting here. */
const maxFindings = 100;
const noWarnings: readonly string[] = [];

/**
 * Brings an object of a client into form: metadata as for built-in kinds, everything else by the
 * schema (without one everything is kept). Throws BadRequest; see CustomKind.decode.
 */
export function decodeCustom(
  info: ResourceInfo,
  schema: Structural | undefined,
  object: UnknownObject,
  mode: FieldValidation,
  earlier: readonly string[] = noWarnings,
): { object: UnknownObject; warnings: readonly string[] } {
  const findings = mode === 'Ignore' ? undefined : new Set(earlier);
  const note = (path: string): void => {
    if (findings !== undefined && findings.size < maxFindings) {
      findings.add(`unknown field ${JSON.stringify(path)}`);
    }
  };
  let result = object;
  try {
    result = withMeta(result, note);
    if (schema !== undefined) {
      result = pruneObject(result, schema, findings === undefined ? undefined : note);
      result = conformEmbedded(result, schema, note);
    }
  } catch (error) {
    throw cannotBeHandled(info, messageOf(error), error);
  }
  if (findings === undefined || findings.size === 0)
    return { object: result, warnings: noWarnings };
  const texts = [...findings];
  if (mode === 'Warn') return { object: result, warnings: texts };
  const strict = new K3tsError('StrictDecoding', `strict decoding error: ${texts.join(', ')}`);
  throw cannotBeHandled(info, messageOf(strict), strict);
}

function withMeta(object: UnknownObject, onUnknown: (path: string) => void): UnknownObject {
  const { metadata } = object as { metadata?: unknown };
  if (metadata === undefined || metadata === null) {
    return { ...object, metadata: {} as UnknownObject['metadata'] };
  }
  const { metadata: conformed, unknown } = conformMeta(metadata);
  for (const field of unknown) onUnknown(`metadata.${field}`);
  if (conformed === metadata) return object;
  return { ...object, metadata: conformed as unknown as UnknownObject['metadata'] };
}

function cannotBeHandled(
  { kind, version }: ResourceInfo,
  why: string,
  cause?: unknown,
): ApiStatusError {
  return new ApiStatusError({
    httpCode: 400,
    reason: 'BadRequest',
    message: `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`,
    cause,
  });
}
