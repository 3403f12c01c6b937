import type { ResourceInfo } from '#schema/mod.ts';
import type { Namespace } from '#schema/types.ts';
import { kindOf } from '../matching/request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** `request` as expressions see it; `resource` is the one that matched. */
export function requestValue(
  attributes: AdmissionAttributes,
  view: AdmissionRequestView,
  resource: ResourceInfo,
): Readonly<Record<string, unknown>> {
  const { subresource, name, namespace, options } = view;
  const { user } = attributes.context;
  const requestKind = kindFields(view.kind);
  const kind = resource === view.resource ? requestKind : kindFields(kindOf(resource, subresource));
  return {
    kind,
    resource: resourceFields(resource),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind,
    requestResource: resourceFields(view.resource),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: attributes.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    dryRun: attributes.dryRun,
    options: options ?? null,
  };
}

function kindFields(of: { group: string; version: string; kind: string }): unknown {
  return { group: of.group, version: of.version, kind: of.kind };
}

function resourceFields({ group, version, resource }: ResourceInfo): unknown {
  return { group, version, resource };
}

/** `namespaceObject`: what of a namespace is shown; null for cluster-scoped requests. */
export function namespaceValue(namespace: Namespace | undefined): unknown {
  if (namespace === undefined) return null;
  const { metadata, spec, status } = namespace;
  const { uid, ...shown } = metadata;
  return {
    metadata: { ...shown, ...(uid === undefined ? {} : { UID: uid }) },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}
