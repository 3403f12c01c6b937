import { parseGroupVersion } from '#schema/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { OwnerReference } from '#schema/types.ts';

import type { Authorizer, ResourceAttributes } from '../authz/authorizer.ts';
import { refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';
import { sameJson } from './same-json.ts';

/**
 * Setting owners needs the right to delete the object; blocking an owner's deletion needs the right
 * to update the owner's finalizers. Off by default, as upstream.
 */
export function createOwnerReferencesPermissionEnforcement(options: {
  authorizer: Authorizer;
  resources: () => readonly ResourceInfo[];
}): AdmissionPlugin {
  const { authorizer } = options;
  const isAllowed = async (
    attributes: AdmissionAttributes,
    asked: Pick<ResourceAttributes, 'verb' | 'group' | 'resource' | 'subresource' | 'name'>,
  ): Promise<boolean> => {
    const { user } = attributes.context;
    const resource = { ...asked, version: '*', namespace: attributes.namespace };
    const verdict = await authorizer.authorize({ user, resource, path: '', verb: asked.verb });
    return verdict.decision === 'allow';
  };
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: (attributes) =>
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      (attributes.object?.metadata.ownerReferences ?? []).length > 0,
    async validate(attributes) {
      const owners = attributes.object?.metadata.ownerReferences ?? [];
      const old = attributes.oldObject?.metadata.ownerReferences ?? [];
      if (sameJson(owners, old)) return;
      const { group, resource } = attributes.context.resource;
      const { name, subresource } = attributes;
      if (!(await isAllowed(attributes, { verb: 'delete', group, resource, subresource, name }))) {
        throw refuse(attributes, "cannot set an ownerRef on a resource you can't delete: ");
      }
      for (const owner of newlyBlocking(owners, old)) {
        const info = options
          .resources()
          .find(
            (candidate) =>
              candidate.kind === owner.kind &&
              candidate.group === parseGroupVersion(owner.apiVersion).group,
          );
        const asked = {
          verb: 'update',
          group: info?.group ?? '',
          resource: info?.resource ?? '',
          subresource: 'finalizers',
          name: owner.name,
        };
        if (info === undefined || !(await isAllowed(attributes, asked))) {
          throw refuse(
            attributes,
            "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ",
          );
        }
      }
    },
  };
}

function newlyBlocking(
  owners: readonly OwnerReference[],
  old: readonly OwnerReference[],
): OwnerReference[] {
  const blocked = new Set(
    old.filter((owner) => owner.blockOwnerDeletion === true).map((owner) => owner.uid),
  );
  return owners.filter((owner) => owner.blockOwnerDeletion === true && !blocked.has(owner.uid));
}
