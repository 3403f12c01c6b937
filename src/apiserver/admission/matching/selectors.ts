import { resources } from '#client/mod.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { Namespace } from '#schema/types.ts';
import { notFound } from '../../api-errors.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import { getOrRefresh } from '../../authz/object-reader.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { isNamespace, namespaceOf, objectOf, oldObjectOf } from './request.ts';

/** The two label selectors of a webhook, a policy or a binding; absent ones select everything. */
export interface RequestSelectors {
  readonly namespace: LabelSelector | undefined;
  readonly object: LabelSelector | undefined;
}

type SelectorField = Parameters<typeof labelSelectorFrom>[0];

/** Compiles selectors; one without requirements costs nothing later. */
export function requestSelectors(of: {
  readonly namespaceSelector?: SelectorField;
  readonly objectSelector?: SelectorField;
}): RequestSelectors {
  return { namespace: compile(of.namespaceSelector), object: compile(of.objectSelector) };
}

function compile(selector: SelectorField): LabelSelector | undefined {
  if (selector === undefined || selector === null) return undefined;
  const compiled = labelSelectorFrom(selector);
  return compiled.isEmpty ? undefined : compiled;
}

/** Old and new state count; a request without an object of its own matches nothing. */
export function matchesObject(
  selector: LabelSelector | undefined,
  attributes: AdmissionAttributes,
): boolean {
  if (selector === undefined) return true;
  return hasLabels(selector, objectOf(attributes)) || hasLabels(selector, oldObjectOf(attributes));
}

/** Objects without metadata (options of connections) have no labels that could be selected. */
function hasLabels(selector: LabelSelector, object: UnknownObject | undefined): boolean {
  if (object?.metadata === undefined) return false;
  return selector.matches(object.metadata.labels);
}

/**
 * Whether the namespace of the request is selected. Cluster-scoped objects always are; namespaces
 * are held against their own labels, new ones when they are written. Throws NotFound.
 */
export async function matchesNamespace(
  selector: LabelSelector | undefined,
  attributes: AdmissionAttributes,
  reader: ObjectReader,
): Promise<boolean> {
  if (selector === undefined) return true;
  const namespace = namespaceOf(attributes);
  const isOwn = isNamespace(attributes.context.resource);
  if (namespace === '' && !isOwn) return true;
  const { operation, object, subresource } = attributes;
  if (isOwn && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')) {
    return selector.matches(object?.metadata.labels);
  }
  const found = await namespaceNamed(reader, namespace);
  return selector.matches(found.metadata.labels);
}

/** The namespace by name; throws NotFound. */
export async function namespaceNamed(reader: ObjectReader, name: string): Promise<Namespace> {
  const found = await getOrRefresh<Namespace>(reader, resources.namespaces, '', name);
  if (found === undefined) throw notFound(resources.namespaces, name);
  return found;
}
