import { messageOf } from '#base/errors.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { applyDefaults, conform } from '#schema/mod.ts';
import { applyJsonPatch } from '#schema/patch/mod.ts';
import { internalError } from '../../api-errors.ts';
import { copyJson } from '../../json-copy.ts';
import { WebhookFailure } from './webhook-errors.ts';

/** The operations of a webhook's patch. Throws WebhookFailure for what is no JSON patch. */
export function readPatch(webhook: string, text: string): readonly unknown[] {
  let operations: unknown;
  try {
    operations = JSON.parse(text) as unknown;
  } catch (error) {
    throw undecodable(webhook, messageOf(error), error);
  }
  if (Array.isArray(operations)) return operations as unknown[];
  if (operations === null) return [];
  const type = typeof operations === 'object' ? 'object' : typeof operations;
  throw undecodable(
    webhook,
    `json: cannot unmarshal ${type} into Go value of type jsonpatch.Patch`,
    undefined,
  );
}

function undecodable(webhook: string, text: string, cause: unknown): WebhookFailure {
  const message = `received undecodable patch in webhook response: ${text}`;
  return new WebhookFailure(webhook, message, cause);
}

/**
 * A fresh object with the operations applied, read like a body and defaulted, in the version of
 * `resource`. Throws InternalError for operations that do not fit.
 */
export function patchedObject(
  object: UnknownObject,
  operations: readonly unknown[],
  resource: Pick<ResourceInfo, 'typeName'>,
): UnknownObject {
  const { typeName } = resource;
  try {
    const patched = applyJsonPatch(object, operations);
    const known = typeName === '' ? undefined : typeName;
    const fresh = copyJson(conform(patched, known, 'Ignore').object);
    fresh.metadata ??= {} as UnknownObject['metadata'];
    if (fresh.kind !== object.kind || fresh.apiVersion !== object.apiVersion) {
      const [given, wanted] = [fresh, object].map((of) => `${of.apiVersion}, Kind=${of.kind}`);
      throw new Error(`converting (${given}) to (${wanted}): unknown conversion`);
    }
    if (known !== undefined) applyDefaults(fresh, known);
    return fresh;
  } catch (error) {
    throw internalError(causeOf(error), error);
  }
}

/** What was wrong in detail; clients of a patch are told less than those of a webhook. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}
