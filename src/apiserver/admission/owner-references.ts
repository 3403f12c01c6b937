import { parseGroupVersion } from '#schema/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { OwnerReference } from '#schema/types.ts';

import type { Authorizer, ResourceAttributes } from '../authz/authorizer.ts';
import { isResource, refuse } from './match.ts';
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
  const ask = async (
    attributes: AdmissionAttributes,
    asked: Pick<ResourceAttributes, 'verb' | 'group' | 'resource' | 'subresource' | 'name'>,
  ): Promise<{ isAllowed: boolean; why: string }> => {
    const { user } = attributes.context;
    const resource = { ...asked, version: '*', namespace: attributes.namespace };
    const verdict = await authorizer.authorize({ user, resource, path: '', verb: asked.verb });
    // the end is what Go prints for an error that is none
    return { isAllowed: verdict.decision === 'allow', why: `${verdict.reason}, <nil>` };
  };
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: (attributes) =>
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      // the strategy keeps owners as they are there
      !isResource(attributes, '', 'pods', 'status') &&
      (attributes.object?.metadata.ownerReferences ?? []).length > 0,
    async validate(attributes) {
      const owners = attributes.object?.metadata.ownerReferences ?? [];
      const old = attributes.oldObject?.metadata.ownerReferences ?? [];
      if (sameJson(owners, old)) return;
      const { group, resource } = attributes.context.resource;
      const { name, subresource } = attributes;
      const deleting = { verb: 'delete', group, resource, subresource, name };
      const { isAllowed, why } = await ask(attributes, deleting);
      if (!isAllowed) {
        throw refuse(attributes, `cannot set an ownerRef on a resource you can't delete: ${why}`);
      }
      for (const owner of newlyBlocking(owners, old)) {
        const parsed = parseGroupVersion(owner.apiVersion);
        const found = options
          .resources()
          .filter(({ kind, group: of }) => kind === owner.kind && of === parsed.group);
        if (found.length === 0) {
          const what = `APIVersion ${owner.apiVersion} Kind ${owner.kind}`;
          throw refuse(
            attributes,
            `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for ${what}: no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`,
          );
        }
        for (const info of found) {
          const verdict = await ask(attributes, {
            verb: 'update',
            group: info.group,
            resource: info.resource,
            subresource: 'finalizers',
            name: owner.name,
          });
          if (verdict.isAllowed) continue;
          throw refuse(
            attributes,
            `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${verdict.why}`,
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
