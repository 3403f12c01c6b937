import type { UnknownObject } from '#schema/mod.ts';
import { parseGroupVersion } from '#schema/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { ParamKind, ParamRef } from '#schema/types.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import { getOrRefresh } from '../../authz/object-reader.ts';
import type { ResourceRegistry } from '../../resource-registry.ts';
import { ConfigurationError } from './policy-kinds.ts';

/** What finding parameters needs beside the request. */
export interface ParamContext {
  readonly reader: ObjectReader;
  readonly registry: Pick<ResourceRegistry, 'byKind' | 'byResource'>;
}

/**
 * The parameters that a policy is to be evaluated with, once each: `null` when it has none, nothing
 * when there are none and the binding allows that. Throws ConfigurationError.
 */
export async function collectParams(
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  namespace: string,
  { reader, registry }: ParamContext,
): Promise<readonly (UnknownObject | null)[]> {
  if (kind === undefined || ref === undefined) return [null];
  const { apiVersion = '', kind: kindName = '' } = kind;
  const served = registry.byKind(apiVersion, kindName);
  if (served === undefined) throw unknownKind(kind);
  const { info } = served;
  const refNamespace = ref.namespace ?? '';
  if (!info.namespaced && refNamespace !== '') {
    throw new ConfigurationError(
      'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    );
  }
  const within = info.namespaced ? (refNamespace === '' ? namespace : refNamespace) : '';
  if (info.namespaced && within === '') {
    throw new ConfigurationError(
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    );
  }
  const found = await findParams(ref, within, info, reader);
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ConfigurationError(
      'no params found for policy binding with `Deny` parameterNotFoundAction',
    );
  }
  return found;
}

/** Throws ConfigurationError when nothing of the kind is served: no binding can help that. */
export function checkParamKind(
  kind: ParamKind | undefined,
  { registry }: Pick<ParamContext, 'registry'>,
): void {
  if (kind === undefined) return;
  if (registry.byKind(kind.apiVersion ?? '', kind.kind ?? '') === undefined)
    throw unknownKind(kind);
}

function unknownKind({ apiVersion = '', kind = '' }: ParamKind): ConfigurationError {
  const { group, version } = parseGroupVersion(apiVersion);
  const text = `failed to find resource referenced by paramKind: '${group}/${version}, Kind=${kind}'`;
  return new ConfigurationError(text);
}

async function findParams(
  { name = '', selector }: ParamRef,
  namespace: string,
  resource: Parameters<ObjectReader['get']>[0],
  reader: ObjectReader,
): Promise<readonly UnknownObject[]> {
  if (name !== '') {
    const found = await getOrRefresh<UnknownObject>(reader, resource, namespace, name);
    return found === undefined ? [] : [found];
  }
  if (selector === undefined) {
    throw new ConfigurationError('one of name or selector must be provided');
  }
  const compiled = labelSelectorFrom(selector);
  const all = reader.list<UnknownObject>(resource, namespace === '' ? undefined : namespace);
  return all.filter((object) => compiled.matches(object.metadata.labels));
}
