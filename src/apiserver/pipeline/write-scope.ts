import type { TraceSubject } from '#base/trace.ts';
import type { GroupVersionKind, UnknownObject } from '#schema/mod.ts';
import type { AdmissionAttributes, AdmissionOperation } from '../admission/plugin.ts';
import type { WriteOptions } from '../handlers/write-options.ts';
import type { HookScope, Undo } from '../kinds/kind-hooks.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';

/** What stays the same through all steps of one write. */
export interface WriteScope {
  readonly context: ResourceRequestContext;
  readonly served: ServedResource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly options: WriteOptions;
  readonly nowMs: number;
}

/** What the steps of this write are about, for the trace seam. */
export function subjectOf({ served, namespace, name }: WriteScope): TraceSubject {
  const { resource } = served.info;
  return { key: namespace === '' ? `${resource}/${name}` : `${resource}/${namespace}/${name}` };
}

export function hookScope(scope: WriteScope): HookScope {
  return {
    context: scope.context,
    info: scope.served.info,
    subresource: scope.subresource,
    dryRun: scope.options.dryRun,
    nowMs: scope.nowMs,
  };
}

/** What admission sees instead of a stored object: the Scale of a workload. */
export interface AdmissionView {
  readonly kind: GroupVersionKind;
  of(object: UnknownObject): UnknownObject;
  /** The object with what mutating admission made of its view; both may be changed in place. */
  into(object: UnknownObject, view: UnknownObject): UnknownObject;
}

export function admissionAttributes(
  scope: WriteScope,
  operation: AdmissionOperation,
  object: UnknownObject | undefined,
  oldObject: UnknownObject | undefined,
  kind?: GroupVersionKind,
): AdmissionAttributes {
  return {
    context: scope.context,
    operation,
    subresource: scope.subresource,
    namespace: scope.namespace,
    name: scope.name,
    object,
    oldObject,
    options: admissionOptions(operation, scope.options),
    dryRun: scope.options.dryRun,
    kind,
  };
}

const optionsKinds: Readonly<Record<string, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
};

function admissionOptions(
  operation: AdmissionOperation,
  options: WriteOptions,
): Readonly<Record<string, unknown>> {
  return {
    kind: optionsKinds[operation] ?? '',
    apiVersion: 'meta.k8s.io/v1',
    ...(options.dryRun ? { dryRun: ['All'] } : {}),
    ...(options.fieldManager === '' ? {} : { fieldManager: options.fieldManager }),
    ...(options.fieldValidation === 'Warn' ? {} : { fieldValidation: options.fieldValidation }),
  };
}

/** Runs `work`; when it fails, or was only a trial, what the hook reserved is given back. */
export async function withUndo<T>(
  undo: Undo | undefined | void,
  isTrial: boolean,
  work: () => Promise<T>,
): Promise<T> {
  if (undo === undefined) return await work();
  try {
    const result = await work();
    if (isTrial) await undo();
    return result;
  } catch (error) {
    await undo();
    throw error;
  }
}
