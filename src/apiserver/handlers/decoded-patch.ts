import type { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { parseJson, readYaml } from '#schema/mod.ts';
import { badRequest, unsupportedMediaType } from '../api-errors.ts';
import type { ServedResource } from '../resource-registry.ts';
import type { FieldValidation } from './write-options.ts';

/** A patch that was read, ready to be applied to an object. */
export type DecodedPatch =
  | {
      readonly type: 'json';
      readonly operations: unknown;
      /** What strict decoding finds in the patch itself, in upstream's words. */
      readonly findings?: readonly string[];
    }
  | {
      readonly type: 'merge' | 'strategic';
      readonly body: unknown;
      readonly findings?: readonly string[];
    }
  | {
      readonly type: 'apply';
      readonly body: UnknownObject;
      readonly findings?: readonly string[];
    };

export type PatchType = DecodedPatch['type'];

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The kind of patch a content type stands for; throws UnsupportedMediaType. */
export function patchTypeOf(
  served: Pick<ServedResource, 'info'>,
  contentType: string | undefined,
): PatchType {
  const mediaType = (contentType?.split(';', 1)[0] ?? '').trim();
  const type = patchTypes[mediaType];
  const isCustom = served.info.typeName === '';
  if (type === undefined || (type === 'strategic' && isCustom)) {
    const names = Object.keys(patchTypes);
    throw unsupportedMediaType(
      names.filter((name) => !isCustom || patchTypes[name] !== 'strategic'),
    );
  }
  return type;
}

/** Reads a patch; throws BadRequest in upstream's words, which differ by type. */
export function decodePatch(type: PatchType, body: Buffer, mode: FieldValidation): DecodedPatch {
  if (type === 'apply') return decodeApplied(body, mode);
  const isLax = mode === 'Ignore';
  let parsed: ReturnType<typeof parseJson>;
  try {
    parsed = parseJson(body, mode);
  } catch (error) {
    if (type === 'merge' && isLax) throw badRequest(badMergePatch);
    throw badRequest(`${type === 'strategic' || isLax ? '' : undecodable}${messageOf(error)}`);
  }
  const { value, duplicates } = parsed;
  // what these hold is checked where they are applied
  if (type === 'json') {
    if (!isLax) checkOperations(value);
    const findings = isLax ? [] : operationFindings(value, duplicates);
    return { type, operations: value ?? [], findings };
  }
  const isScalar = value === null || (isLax && typeof value !== 'object');
  if (type === 'merge' && isScalar) throw badRequest(badMergePatch);
  return { type, body: value ?? {}, findings: duplicates };
}

const undecodable = 'error decoding patch: ';
const badMergePatch = 'Invalid JSON Patch';

/** What decoding into the type of JSON patches refuses; what operations mean is seen later. */
function checkOperations(value: unknown): void {
  if (value === null) return;
  if (!Array.isArray(value)) throw cannotUnmarshal(value, 'value of type []handlers.jsonPatchOp');
  for (const operation of value as readonly unknown[]) {
    if (operation === null) continue;
    if (typeof operation !== 'object' || Array.isArray(operation)) {
      throw cannotUnmarshal(operation, 'value of type handlers.jsonPatchOp');
    }
    for (const [field, text] of Object.entries(operation)) {
      if (text === null || typeof text === 'string' || !textFields.has(field)) continue;
      throw cannotUnmarshal(text, `struct field jsonPatchOp.${field} of type string`);
    }
  }
}

function cannotUnmarshal(value: unknown, into: string): ApiStatusError {
  return badRequest(`${undecodable}json: cannot unmarshal ${jsonWord(value)} into Go ${into}`);
}

const textFields: ReadonlySet<string> = new Set(['op', 'path', 'from']);
const operationFields: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value']);

function operationFindings(operations: unknown, duplicates: readonly string[]): string[] {
  const findings = duplicates.map((finding) => `json patch ${finding}`);
  if (!Array.isArray(operations)) return findings;
  for (const [index, operation] of operations.entries()) {
    if (typeof operation !== 'object' || operation === null) continue;
    for (const field of Object.keys(operation)) {
      if (operationFields.has(field)) continue;
      findings.push(`json patch unknown field ${JSON.stringify(`[${index}].${field}`)}`);
    }
  }
  return findings;
}

/** Kind and type are judged where the patch is applied. */
function decodeApplied(body: Buffer, mode: FieldValidation): DecodedPatch {
  const { value, duplicates } = readApplied(body, mode);
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonWord(value)} into Go value of type map[string]interface {}`,
    );
  }
  const object = (value ?? {}) as UnknownObject;
  object.metadata ??= {} as UnknownObject['metadata'];
  const findings =
    duplicates.length === 0 ? [] : [`error converting YAML to JSON: ${duplicates.join(', ')}`];
  return { type: 'apply', body: object, findings };
}

function readApplied(body: Buffer, mode: FieldValidation): ReturnType<typeof readYaml> {
  const text = body.toString();
  try {
    if (text.trimStart().startsWith('{')) {
      const { value, duplicates } = parseJson(body, mode);
      if (duplicates.length === 0) return { value, duplicates: [] };
    }
  } catch {
    // braces are YAML as well: its parser says what is wrong
  }
  try {
    return readYaml(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${messageOf(error)}`);
  }
}

/** What Go's decoder calls a value. */
function jsonWord(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
