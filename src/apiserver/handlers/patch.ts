import type { UnknownObject } from '#schema/mod.ts';
import type { ApplyOptions } from '#schema/apply/mod.ts';
import { serverSideApply, serverSideApplyAcross } from '#schema/apply/mod.ts';
import { applyJsonPatch, applyMergePatch, applyStrategicPatch } from '#schema/patch/mod.ts';
import { badRequest, invalid } from '../api-errors.ts';
import { copyJson } from '../json-copy.ts';
import { conformObject } from '../pipeline/read-object.ts';
import type { DecodedPatch, PatchType } from './decoded-patch.ts';
import { decodePatch, patchTypeOf } from './decoded-patch.ts';
import { typesOf } from './kind-steps.ts';
import { conformPatched } from './patched-object.ts';
import type { UpdateRequest, UpdateResult } from './update.ts';
import { updateObject } from './update.ts';
import { checkGivenName, patchOptionsErrors } from './write-options.ts';

export type PatchRequest = Omit<UpdateRequest, 'change' | 'createInstead' | 'isApplied'>;

/** Patches one object by the content type of the body. */
export async function patchObject(
  request: PatchRequest,
  contentType: string | undefined,
  body: Buffer,
): Promise<UpdateResult> {
  const type = patchTypeOf(request.served, contentType);
  checkPatchOptions(request, type);
  // a body that cannot be read is a smaller problem than an object that is not there
  let decoded: DecodedPatch | undefined;
  return await applyPatch(request, type, () => {
    decoded ??= decodePatch(type, body, request.options.fieldValidation);
    return decoded;
  });
}

/** The same with a patch that was read already. */
export async function applyDecodedPatch(
  request: PatchRequest,
  patch: DecodedPatch,
): Promise<UpdateResult> {
  checkPatchOptions(request, patch.type);
  return await applyPatch(request, patch.type, () => patch);
}

async function applyPatch(
  request: PatchRequest,
  type: PatchType,
  read: () => DecodedPatch,
): Promise<UpdateResult> {
  if (type === 'apply') return await applyObject(request, read);
  const { served, context, options } = request;
  const typeName = served.info.typeName === '' ? undefined : served.info.typeName;
  return await updateObject({
    ...request,
    isPatch: true,
    change(old) {
      const patch = read();
      if (patch.type === 'apply') return patch.body;
      const patched = patchValue(patch, old, typeName);
      const mode = options.fieldValidation;
      const conformed = conformPatched(context, served, patched, { mode, old, patch });
      const object = ownCopy(conformed, old);
      // a patch may have taken it away
      object.metadata ??= {} as UnknownObject['metadata'];
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

async function applyObject(request: PatchRequest, read: () => DecodedPatch): Promise<UpdateResult> {
  const { served, options, subresource, core, context } = request;
  const { info } = served;
  const conform = (applied: UnknownObject): UnknownObject =>
    conformObject(context, served, applied, 'Ignore');
  const findings = (): readonly string[] => read().findings ?? [];
  const optionsOf = (live: UnknownObject | undefined): ApplyOptions => {
    const patch = read();
    if (patch.type !== 'apply') throw new Error('not an apply');
    return {
      live,
      applied: patch.body,
      conform,
      manager: options.fieldManager,
      force: options.force === true,
      info,
      subresource,
      nowMs: core.clock.now(),
      ...typesOf(served),
    };
  };
  const change = async (live: UnknownObject): Promise<UnknownObject> => {
    const versions = served.custom?.otherVersions;
    const merged =
      versions === undefined
        ? serverSideApply(optionsOf(live))
        : await serverSideApplyAcross(optionsOf(live), versions);
    const object = copyJson(merged);
    reportFindings(request, findings());
    return object;
  };
  const create = (): UnknownObject => {
    const object = copyJson(serverSideApply(optionsOf(undefined)));
    reportFindings(request, findings());
    checkGivenName(object.metadata.name, request.name);
    return object;
  };
  return await updateObject({
    ...request,
    isApplied: true,
    isPatch: true,
    change,
    createInstead: subresource === '' ? create : undefined,
  });
}

/** Fields that are given twice are told after all else, as upstream. */
function reportFindings({ context, options }: PatchRequest, findings: readonly string[]): void {
  if (findings.length === 0 || options.fieldValidation === 'Ignore') return;
  if (options.fieldValidation === 'Strict') {
    throw badRequest(`error strict decoding YAML: ${findings.join(', ')}`);
  }
  for (const finding of findings) context.warnings.add(finding);
}

function checkPatchOptions({ options }: PatchRequest, type: PatchType): void {
  const errors = patchOptionsErrors(options, type === 'apply');
  if (errors.length === 0) return;
  throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', errors);
}
