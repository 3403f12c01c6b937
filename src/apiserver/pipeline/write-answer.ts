import type { UnknownObject } from '#schema/mod.ts';
import { validateCreate } from '#schema/validation/mod.ts';
import { traced } from '#base/trace.ts';
import { sendList } from '../answers/list-answer.ts';
import { sendEntry, sendValue } from '../answers/object-answer.ts';
import { invalid, methodNotAllowed, qualified } from '../api-errors.ts';
import { createObject } from '../handlers/create.ts';
import { deleteCollection } from '../handlers/delete-collection.ts';
import { readDeleteOptions } from '../handlers/delete-options.ts';
import { readDeleteBody } from './delete-body.ts';
import { deletedStatus, deleteObject } from '../handlers/delete.ts';
import { readListOptions } from '../handlers/list-options.ts';
import { patchTypeOf } from '../handlers/decoded-patch.ts';
import { patchObject } from '../handlers/patch.ts';
import { patchScale, replaceScale, scaleType } from '../handlers/scale.ts';
import { updateObject } from '../handlers/update.ts';
import { checkGivenName, patchOptionsErrors, readWriteOptions } from '../handlers/write-options.ts';
import type { Exchange } from '../http/exchange.ts';
import type { AnswerForm } from '../negotiate.ts';
import { negotiateForm } from '../negotiate.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import type { ResourceDispatch } from './dispatch.ts';
import { bodyTypeOf, readObject, typeOf } from './read-object.ts';
import type { WantedType } from './read-object.ts';
import { admitVirtual } from './virtual-admission.ts';

/** Largest body, as upstream's request limit. */
const maxBodyBytes = 3 * 1024 * 1024;
const objectShapes = ['Table', 'PartialObjectMetadata'];

/** One write that came over the network. */
interface Write {
  dispatch: ResourceDispatch;
  exchange: Exchange;
  served: ServedResource;
  context: ResourceRequestContext;
  form: AnswerForm;
  body: Buffer;
}

/** Answers create, update, patch, delete and deletecollection. */
export async function answerWrite(
  dispatch: ResourceDispatch,
  exchange: Exchange,
  served: ServedResource,
  context: ResourceRequestContext,
): Promise<number> {
  const form = negotiateForm(exchange.headers.accept, objectShapes);
  const body = await exchange.readBody(maxBodyBytes);
  const write: Write = { dispatch, exchange, served, context, form, body };
  switch (context.info.verb) {
    case 'create':
      return await answerCreate(write);
    case 'update':
      return await answerUpdate(write);
    case 'patch':
      return await answerPatch(write);
    case 'delete':
      return await answerDelete(write);
    default:
      return await answerDeleteCollection(write);
  }
}

async function answerCreate(write: Write): Promise<number> {
  const { dispatch, exchange, served, context, form } = write;
  const { core } = dispatch;
  const { info } = context;
  const options = readWriteOptions(context, 'CreateOptions');
  const key = qualified(served.info);
  const virtual = core.virtual.get(info.subresource === '' ? key : `${key}/${info.subresource}`);
  if (virtual !== undefined) {
    const wanted =
      info.subresource === '' ? typeOf(served.info) : subresourceType(served, info.subresource);
    const object = await decode(write, wanted, options.fieldValidation);
    // upstream has rules for these reviews only; the others answer whatever they are asked
    const isChecked = info.subresource === '' && served.info.kind.endsWith('SubjectAccessReview');
    const errors = isChecked ? validateCreate(served.info, object) : [];
    if (errors.length > 0) throw invalid(served.info, object.metadata.name ?? '', errors);
    const isAdmitted = info.subresource === '' && served.info.resource !== 'bindings';
    const admitted = isAdmitted
      ? await admitVirtual(core, served, context, options, object)
      : object;
    const result = await virtual(admitted, context);
    await sendValue(exchange, context, result, { status: 201, form });
    return 201;
  }
  if (info.subresource !== '') throw methodNotAllowed(served.info, 'create');
  const object = await decode(write, bodyTypeOf(served), options.fieldValidation);
  const entry = await createObject({ core, served, context, options, object });
  const nowMs = core.clock.now();
  await sendEntry(exchange, context, served, entry, { status: 201, form, nowMs });
  return 201;
}

async function answerUpdate(write: Write): Promise<number> {
  const { dispatch, exchange, served, context, form } = write;
  const { core } = dispatch;
  const { name, subresource } = context.info;
  const options = readWriteOptions(context, 'UpdateOptions');
  if (subresource === 'scale') {
    const scale = await decode(write, scaleType, options.fieldValidation);
    const request = { core, served, context, options, name, subresource };
    const result = await replaceScale(request, scale);
    await sendValue(exchange, context, result, { status: 200, form });
    return 200;
  }
  const object = await decode(write, bodyTypeOf(served), options.fieldValidation);
  // Told before whether there is such an object at all.
  checkGivenName(object.metadata.name, name);
  let isFirst = true;
  // the steps change the object in place: a second attempt needs it as it came
  const fresh = (): UnknownObject => {
    if (!isFirst) return readBody(write, bodyTypeOf(served), options.fieldValidation);
    isFirst = false;
    return object;
  };
  const request = { core, served, context, options, name, subresource, change: fresh };
  const { allowCreateOnUpdate } = served.info;
  const createInstead = allowCreateOnUpdate && subresource === '' ? fresh : undefined;
  const isConditional = (object.metadata.resourceVersion ?? '') !== '';
  const update = (): ReturnType<typeof updateObject> =>
    updateObject({ ...request, createInstead, isReplace: true });
  const { entry, isCreated } = isConditional
    ? await update()
    : await core.locks.run(lockKey(served, context), update);
  const status = isCreated ? 201 : 200;
  await sendEntry(exchange, context, served, entry, { status, form, nowMs: core.clock.now() });
  return status;
}

async function answerPatch(write: Write): Promise<number> {
  const { dispatch, exchange, served, context, form, body } = write;
  const { core } = dispatch;
  const { name, subresource } = context.info;
  const contentType = exchange.headers['content-type'];
  const isApply = patchTypeOf(served, contentType) === 'apply';
  const options = readWriteOptions(context, 'PatchOptions', (read) =>
    patchOptionsErrors(read, isApply),
  );
  const request = { core, served, context, options, name, subresource };
  const key = lockKey(served, context);
  if (subresource === 'scale') {
    const scale = await core.locks.run(key, () => patchScale(request, contentType, body));
    await sendValue(exchange, context, scale, { status: 200, form });
    return 200;
  }
  const result = await core.locks.run(key, () => patchObject(request, contentType, body));
  const status = result.isCreated ? 201 : 200;
  await sendEntry(exchange, context, served, result.entry, {
    status,
    form,
    nowMs: core.clock.now(),
  });
  return status;
}

async function answerDelete(write: Write): Promise<number> {
  const { dispatch, exchange, served, context, form } = write;
  const { core } = dispatch;
  const { name, namespace } = context.info;
  const options = readDeleteOptions(deleteBody(write), context.query);
  const result = await deleteObject({ core, served, context, namespace, name, options });
  const { entry, isRemoved } = result;
  if (isRemoved && served.hooks.returnsDeleted !== true) {
    await sendValue(exchange, context, deletedStatus(served, entry), { status: 200, form });
    return 200;
  }
  const status = !isRemoved && options.orphanDependents === false ? 202 : 200;
  await sendEntry(exchange, context, served, entry, { status, form, nowMs: core.clock.now() });
  return status;
}

async function answerDeleteCollection(write: Write): Promise<number> {
  const { dispatch, exchange, served, context } = write;
  const { core } = dispatch;
  const options = readDeleteOptions(deleteBody(write), context.query);
  const listOptions = readListOptions(context.query);
  const namespace = served.info.namespaced ? context.info.namespace : '';
  const page = await deleteCollection({ core, served, context, namespace, options }, listOptions);
  const form = negotiateForm(exchange.headers.accept, ['Table', 'PartialObjectMetadataList']);
  const { pieces } = dispatch;
  const nowMs = core.clock.now();
  await sendList(exchange, context, served, page, { form, nowMs, pieces });
  return 200;
}

function deleteBody({ body, exchange, context }: Write): UnknownObject | undefined {
  return readDeleteBody(context, body, exchange.headers['content-type']);
}

async function decode(
  write: Write,
  wanted: WantedType,
  mode: 'Strict' | 'Warn' | 'Ignore',
): Promise<UnknownObject> {
  return await traced('write.decode', {}, async () => readBody(write, wanted, mode));
}

function readBody(
  { context, body, exchange }: Write,
  wanted: WantedType,
  mode: 'Strict' | 'Warn' | 'Ignore',
): UnknownObject {
  return readObject(context, body, exchange.headers['content-type'], wanted, mode);
}

function subresourceType(served: ServedResource, subresource: string): WantedType {
  const info = served.info.subresources.find((other) => other.name === subresource);
  const { group = '', version = '', kind = '' } = info ?? {};
  // as upstream: kubectl before 1.22 drains nodes with evictions of this version
  const olderVersions = kind === 'Eviction' ? ['v1beta1'] : [];
  return { group, version, kind, typeName: '', olderVersions };
}

function lockKey(served: ServedResource, { info }: ResourceRequestContext): string {
  return `${served.info.storagePrefix}${info.namespace}/${info.name}`;
}
