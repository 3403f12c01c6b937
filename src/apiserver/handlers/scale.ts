import type { UnknownObject } from '#schema/mod.ts';
import { badRequest, conflict, internalError, invalid, preconditionText } from '../api-errors.ts';
import type { CacheEntry } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import { copyJson } from '../json-copy.ts';
import type { WantedType } from '../pipeline/read-object.ts';
import { checkType } from '../pipeline/read-object.ts';
import type { AdmissionView } from '../pipeline/write-scope.ts';
import type { ServedResource } from '../resource-registry.ts';
import { prepareEntries, servedObject } from '../resource-registry.ts';
import { customScaleOf, withReplicas } from './custom-scale.ts';
import { getObject } from './get.ts';
import type { DecodedPatch } from './decoded-patch.ts';
import { decodePatch, patchTypeOf } from './decoded-patch.ts';
import { applyDecodedPatch, patchValue } from './patch.ts';
import type { PatchRequest } from './patch.ts';
import { conformPatched } from './patched-object.ts';
import { updateObject } from './update.ts';
import { checkGivenName } from './write-options.ts';

export const scaleType: WantedType = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  typeName: 'io.k8s.api.autoscaling.v1.Scale',
};

/** The parts of a workload that its scale shows. */
interface Scalable extends UnknownObject {
  spec?: { replicas?: number; selector?: unknown };
  status?: { replicas?: number };
}

interface Scale extends UnknownObject {
  spec: { replicas?: number };
}

export async function getScale(
  core: Core,
  served: ServedResource,
  namespace: string,
  name: string,
): Promise<UnknownObject> {
  const entry = await getObject(core, served, namespace, name);
  const scale = await shownScale(served, entry);
  const path = served.custom?.scale?.specReplicas;
  if (path !== undefined && scale.spec.replicas === undefined) {
    throw internalError(`the spec replicas field ${JSON.stringify(path)} does not exist`);
  }
  return scale;
}

/** Sets replicas by the Scale that a client sent; its version and uid, when set, must be current. */
export async function replaceScale(
  request: PatchRequest,
  scale: UnknownObject,
): Promise<UnknownObject> {
  return await changeScale(request, () => scale as Scale);
}

/** Sets replicas by a patch of the Scale. */
export async function patchScale(
  request: PatchRequest,
  contentType: string | undefined,
  body: Buffer,
): Promise<UnknownObject> {
  const info = { ...request.served.info, ...scaleType };
  const type = patchTypeOf({ info }, contentType);
  const { fieldValidation } = request.options;
  return await patchScaleWith(request, decodePatch(type, body, fieldValidation));
}

/** The same with a patch that was read already. */
export async function patchScaleWith(
  request: PatchRequest,
  patch: DecodedPatch,
): Promise<UnknownObject> {
  if (patch.type === 'apply') return await applyScale(request, patch.body);
  const { context, options } = request;
  const served = { ...request.served, info: { ...request.served.info, ...scaleType } };
  return await changeScale({ ...request, isPatch: true }, (old) => {
    const patched = patchValue(patch, old, scaleType.typeName);
    const form = { mode: options.fieldValidation, old, patch };
    return conformPatched(context, { ...served, custom: undefined }, patched, form) as Scale;
  });
}

/** The replicas of the applied Scale are applied to the workload, whose field they are. */
async function applyScale(request: PatchRequest, scale: UnknownObject): Promise<UnknownObject> {
  const { served } = request;
  checkType(scale, scaleType);
  const { kind, apiVersion } = served.layout;
  const { uid, resourceVersion, name } = scale.metadata;
  const replicas = (scale as Partial<Scale>).spec?.replicas;
  const body = {
    kind,
    apiVersion,
    metadata: { name, ...optional({ uid, resourceVersion }) },
    ...(replicas === undefined ? { spec: {} } : replicasAt(served, replicas)),
  };
  const patch = { type: 'apply', body } as const;
  const { entry } = await applyDecodedPatch({ ...request, view: scaleView(served) }, patch);
  return await shownScale(served, entry);
}

async function shownScale(served: ServedResource, entry: CacheEntry): Promise<Scale> {
  await prepareEntries(served, [entry]);
  return scaleIn(served, servedObject(served, entry));
}

/** An object that says nothing but the replicas, where the kind has them. */
function replicasAt({ custom }: ServedResource, replicas: number): Record<string, unknown> {
  if (custom?.scale === undefined) return { spec: { replicas } };
  return withReplicas({} as UnknownObject, custom.scale, replicas);
}

function optional(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}

async function changeScale(
  request: PatchRequest,
  change: (current: Scale) => Scale,
): Promise<UnknownObject> {
  const { served, name } = request;
  const { entry } = await updateObject({
    ...request,
    view: scaleView(served),
    change(old) {
      const workload = copyJson(old) as Scalable;
      const current = scaleIn(served, old);
      const wanted = change(current);
      const { uid, resourceVersion, name: wantedName } = wanted.metadata;
      checkGivenName(wantedName, name);
      if ((uid ?? '') !== '' && uid !== old.metadata.uid && request.isPatch !== true) {
        const key = served.cache?.keyOf(old.metadata.namespace ?? '', name) ?? '';
        throw conflict(served.info, name, preconditionText(key, uid ?? '', old.metadata.uid));
      }
      if (resourceVersion === undefined) delete workload.metadata.resourceVersion;
      else workload.metadata.resourceVersion = resourceVersion;
      const paths = served.custom?.scale;
      if (paths !== undefined && wanted.spec?.replicas === undefined) {
        const path = JSON.stringify(paths.specReplicas);
        throw badRequest(`the spec replicas field ${path} cannot be empty`);
      }
      const replicas = wanted.spec?.replicas ?? 0;
      if (!Number.isInteger(replicas) || replicas < 0) {
        throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
          {
            type: 'FieldValueInvalid',
            field: 'spec.replicas',
            message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
          },
        ]);
      }
      if (paths !== undefined) return withReplicas(workload, paths, replicas);
      workload.spec = { ...workload.spec, replicas };
      return workload;
    },
  });
  return await shownScale(served, entry);
}

/** Admission is told of the Scale and may change its replicas. */
function scaleView(served: ServedResource): AdmissionView {
  return {
    kind: scaleType,
    of: (object) => scaleIn(served, object),
    into(object, view) {
      const replicas = (view as Scale).spec?.replicas;
      if (replicas === undefined) return object;
      const paths = served.custom?.scale;
      if (paths !== undefined) return withReplicas(object, paths, replicas);
      const workload = object as Scalable;
      workload.spec = { ...workload.spec, replicas };
      return workload;
    },
  };
}

/** The scale of an object; without replicas where a custom resource has none. */
function scaleIn({ custom }: ServedResource, object: UnknownObject): Scale {
  return custom?.scale === undefined ? scaleOf(object) : customScaleOf(object, custom.scale);
}

function scaleOf(workload: Scalable): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = workload.metadata;
  const { spec, status } = workload;
  const selector = selectorText(spec?.selector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec?.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

/** A selector as one line; replication controllers hold a plain map. */
function selectorText(selector: unknown): string {
  if (typeof selector !== 'object' || selector === null) return '';
  const fields = selector as { matchLabels?: Record<string, string>; matchExpressions?: unknown[] };
  const isPlain = fields.matchLabels === undefined && fields.matchExpressions === undefined;
  const labels = isPlain ? (selector as Record<string, string>) : (fields.matchLabels ?? {});
  const equal = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const expressions = ((fields.matchExpressions ?? []) as Expression[]).map(expressionText);
  return [...equal, ...expressions].sort().join(',');
}

interface Expression {
  key: string;
  operator: string;
  values?: string[];
}

function expressionText({ key, operator, values = [] }: Expression): string {
  const list = [...values].sort().join(',');
  if (operator === 'In') return `${key} in (${list})`;
  if (operator === 'NotIn') return `${key} notin (${list})`;
  return operator === 'Exists' ? key : `!${key}`;
}
