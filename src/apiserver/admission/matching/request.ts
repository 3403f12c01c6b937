import type { GroupVersionKind, ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/**
 * A write as webhooks and policies are told of it, in upstream's words: kinds of subresources, the
 * options of a connection as its object, a namespace lying in itself.
 */
export interface AdmissionRequestView {
  readonly kind: GroupVersionKind;
  readonly resource: ResourceInfo;
  readonly subresource: string;
  readonly name: string;
  readonly namespace: string;
  readonly options: Readonly<Record<string, unknown>> | undefined;
}

export function viewOf(attributes: AdmissionAttributes): AdmissionRequestView {
  const { context, subresource, operation, options } = attributes;
  const { resource } = context;
  const isConnect = operation === 'CONNECT';
  return {
    kind: attributes.kind ?? (isConnect ? kindOfOptions(options) : kindOf(resource, subresource)),
    resource,
    subresource,
    name: nameOf(attributes),
    namespace: namespaceOf(attributes),
    options: isConnect ? undefined : options,
  };
}

/** The state that rules and selectors look at: for a connection, its options. */
export function objectOf(attributes: AdmissionAttributes): UnknownObject | undefined {
  if (attributes.operation === 'CONNECT') return attributes.options as UnknownObject;
  return attributes.object;
}

export function oldObjectOf(attributes: AdmissionAttributes): UnknownObject | undefined {
  return attributes.operation === 'CONNECT' ? undefined : attributes.oldObject;
}

/** The kind that is sent to a resource or its subresource. */
export function kindOf(resource: ResourceInfo, subresource: string): GroupVersionKind {
  const { group, version, kind } = resource;
  if (subresource === '') return { group, version, kind };
  const info = resource.subresources.find((one) => one.name === subresource);
  if (info === undefined || info.kind === '') return { group, version, kind };
  const own = info.version === '' ? { group, version } : info;
  return { group: own.group, version: own.version, kind: info.kind };
}

function kindOfOptions(options: Readonly<Record<string, unknown>>): GroupVersionKind {
  return { group: '', version: 'v1', kind: String(options['kind'] ?? '') };
}

function nameOf({ name, object }: AdmissionAttributes): string {
  return name === '' ? (object?.metadata?.name ?? '') : name;
}

/** Namespaces are said to lie in themselves, for selectors and for what is told of them. */
export function namespaceOf(attributes: AdmissionAttributes): string {
  return isNamespace(attributes.context.resource) ? nameOf(attributes) : attributes.namespace;
}

export function isNamespace({ group, resource }: ResourceInfo): boolean {
  return group === '' && resource === 'namespaces';
}

const reviewResources: ReadonlySet<string> = new Set([
  'authentication.k8s.io/selfsubjectreviews',
  'authentication.k8s.io/tokenreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authorization.k8s.io/subjectaccessreviews',
]);

/** What policies are never asked about: beside the above, questions that the cluster lives by. */
export function isExemptFromPolicies(attributes: AdmissionAttributes): boolean {
  const { group, resource } = attributes.context.resource;
  return isExempt(attributes) || reviewResources.has(`${group}/${resource}`);
}

const policyResources: ReadonlySet<string> = new Set([
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'validatingwebhookconfigurations',
]);

/** What configures admission itself: nobody may lock themselves out of mending it. */
export function isExempt({ context }: AdmissionAttributes): boolean {
  const { group, resource } = context.resource;
  return group === 'admissionregistration.k8s.io' && policyResources.has(resource);
}
