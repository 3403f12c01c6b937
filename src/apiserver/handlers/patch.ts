import { messageOf } from '#base/errors.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { serverSideApply } from '#schema/apply/mod.ts';
import { readYaml } from '#schema/mod.ts';
import { applyJsonPatch, applyMergePatch, applyStrategicPatch } from '#schema/patch/mod.ts';
import { badRequest, invalid, unsupportedMediaType } from '../api-errors.ts';
import { copyJson } from '../json-copy.ts';
import { checkType, conformObject, typeOf } from '../pipeline/read-object.ts';
import type { ServedResource } from '../resource-registry.ts';
import { typesOf } from './kind-steps.ts';
import type { UpdateRequest, UpdateResult } from './update.ts';
import { updateObject } from './update.ts';

export type PatchRequest = Omit<UpdateRequest, 'change' | 'createInstead' | 'isApplied'>;

/** A patch that was read, ready to be applied to an object. */
export type DecodedPatch =
  | { readonly type: 'json'; readonly operations: unknown }
  | { readonly type: 'merge' | 'strategic'; readonly body: unknown }
  | { readonly type: 'apply'; readonly body: UnknownObject };

/** Patches one object by the content type of the body. */
export async function patchObject(
  request: PatchRequest,
  contentType: string | undefined,
  body: Buffer,
): Promise<UpdateResult> {
  // Options come first: a body that cannot be read is the smaller problem.
  const type = patchTypeOf(request.served, contentType);
  checkPatchOptions(request, type);
  return await applyDecodedPatch(request, decodePatch(request.served, contentType, body));
}

export async function applyDecodedPatch(
  request: PatchRequest,
  patch: DecodedPatch,
): Promise<UpdateResult> {
  checkPatchOptions(request, patch.type);
  if (patch.type === 'apply') return await applyObject(request, patch.body);
  const { served, context, options } = request;
  const typeName = served.info.typeName === '' ? undefined : served.info.typeName;
  return await updateObject({
    ...request,
    isPatch: true,
    change(old) {
      const patched = patchValue(patch, old, typeName);
      const conformed = conformObject(context, served, patched, options.fieldValidation, old);
      const object = ownCopy(conformed, old);
      // a patch may have taken it away
      object.metadata ??= {} as UnknownObject['metadata'];
      checkType(object, typeOf(served.info));
      return object;
    },
  });
}

/**
 * A copy to go on with: the patch shares what it left alone with the stored object, which must stay
 * as it is. Managed fields are never changed in place and remain shared, so that nobody compares
 * them later.
 */
function ownCopy(patched: UnknownObject, old: UnknownObject): UnknownObject {
  const given = (patched as Partial<UnknownObject>).metadata;
  const { managedFields } = old.metadata;
  if (managedFields === undefined || given?.managedFields !== managedFields) {
    return copyJson(patched);
  }
  const metadata = { ...given };
  delete metadata.managedFields;
  const copy = copyJson({ ...patched, metadata });
  copy.metadata.managedFields = managedFields;
  return copy;
}

/** Applies a patch that is no apply patch to any value; the original stays as it is. */
export function patchValue(
  patch: Exclude<DecodedPatch, { type: 'apply' }>,
  original: UnknownObject,
  typeName: string | undefined,
): UnknownObject {
  if (patch.type === 'json') return applyJsonPatch(original, patch.operations);
  if (patch.type === 'merge') return applyMergePatch(original, patch.body);
  return applyStrategicPatch(original, patch.body, typeName ?? '');
}

async function applyObject(request: PatchRequest, applied: UnknownObject): Promise<UpdateResult> {
  const { served, options, subresource, core, name, context } = request;
  const { info } = served;
  const wanted = conformObject(context, served, applied, options.fieldValidation);
  const merge = (live: UnknownObject | undefined): UnknownObject =>
    copyJson(
      serverSideApply({
        live,
        applied: wanted,
        manager: options.fieldManager,
        force: options.force === true,
        info,
        subresource,
        nowMs: core.clock.now(),
        ...typesOf(served),
      }),
    );
  const create = (): UnknownObject => {
    const object = merge(undefined);
    object.metadata.name ??= name;
    return object;
  };
  return await updateObject({
    ...request,
    isApplied: true,
    isPatch: true,
    change: merge,
    createInstead: subresource === '' ? create : undefined,
  });
}

function checkPatchOptions({ options }: PatchRequest, type: DecodedPatch['type']): void {
  const of = { group: 'meta.k8s.io', kind: 'PatchOptions' };
  if (type === 'apply' && options.fieldManager === '') {
    const message = 'Required value: is required for apply patch';
    throw invalid(of, '', [{ type: 'FieldValueRequired', field: 'fieldManager', message }]);
  }
  if (type !== 'apply' && options.force !== undefined) {
    const message = 'Forbidden: may not be specified for non-apply patch';
    throw invalid(of, '', [{ type: 'FieldValueForbidden', field: 'force', message }]);
  }
}

const patchTypes: Readonly<Record<string, DecodedPatch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The kind of patch a content type stands for; throws UnsupportedMediaType. */
function patchTypeOf(
  served: Pick<ServedResource, 'info'>,
  contentType: string | undefined,
): DecodedPatch['type'] {
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

/** Reads a patch; throws UnsupportedMediaType, BadRequest, RequestEntityTooLarge. */
export function decodePatch(
  served: Pick<ServedResource, 'info'>,
  contentType: string | undefined,
  body: Buffer,
): DecodedPatch {
  const type = patchTypeOf(served, contentType);
  if (type === 'apply') return { type, body: decodeApplied(served, body) };
  let value: unknown;
  try {
    value = JSON.parse(body.toString()) as unknown;
  } catch (error) {
    throw badRequest(`error decoding patch: ${messageOf(error)}`);
  }
  // what these hold is checked where they are applied
  if (type === 'json') return { type, operations: value };
  return { type, body: value };
}

function decodeApplied({ info }: Pick<ServedResource, 'info'>, body: Buffer): UnknownObject {
  let value: unknown;
  const text = body.toString();
  try {
    value = text.trimStart().startsWith('{') ? JSON.parse(text) : readYaml(text).value;
  } catch (error) {
    throw badRequest(`error decoding YAML: ${messageOf(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest('error decoding YAML: the body is no object');
  }
  const object = value as UnknownObject;
  if (object.apiVersion === undefined || object.kind === undefined) {
    throw badRequest("Object 'Kind' is missing in the applied configuration");
  }
  checkType(object, typeOf(info));
  object.metadata ??= {} as UnknownObject['metadata'];
  return object;
}
