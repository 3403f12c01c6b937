import { resources } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import { parseGroupVersion } from '#schema/mod.ts';
import type { BoundObjectReference, Node, Pod } from '#schema/types.ts';

import { badRequest, conflict, notFound } from '../api-errors.ts';
import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { ClaimReference, KubernetesClaims } from './service-account-claims.ts';

/** Claims that tie a token to an object. */
export type BoundClaims = Pick<KubernetesClaims, 'pod' | 'secret' | 'node'>;

/**
 * The claims for the object that a token shall die with: a pod of the account (then with its node),
 * a secret or a node. Throws NotFound, Conflict for another uid, BadRequest for other kinds.
 */
export async function boundObject(
  reader: ObjectReader,
  namespace: string,
  account: string,
  reference: BoundObjectReference | undefined,
): Promise<BoundClaims> {
  if (reference === undefined) return {};
  const { name = '', kind = '' } = reference;
  const { group, version } = parseGroupVersion(reference.apiVersion ?? '');
  const find = async <T extends KubeObject>(
    resource: GroupVersionResource,
    inNamespace: string,
  ): Promise<T> => {
    const object = await getOrRefresh<T>(reader, resource, inNamespace, name);
    if (object === undefined) throw notFound(resource, name);
    const { uid } = object.metadata;
    if ((reference.uid ?? '') !== '' && reference.uid !== uid) {
      throw conflict(
        { group, resource: kind },
        name,
        `the UID in the bound object reference (${reference.uid ?? ''}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    }
    return object;
  };
  switch (group === '' ? kind : '') {
    case 'Pod': {
      const pod = await find<Pod>(resources.pods, namespace);
      const own = pod.spec?.serviceAccountName ?? '';
      if (own !== account) {
        throw badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
        );
      }
      const node = nodeClaim(reader, pod.spec?.nodeName ?? '');
      return node === undefined ? { pod: claim(pod) } : { node, pod: claim(pod) };
    }
    case 'Secret':
      return { secret: claim(await find(resources.secrets, namespace)) };
    case 'Node':
      return { node: claim(await find(resources.nodes, '')) };
    default:
      throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
}

function claim(object: KubeObject): ClaimReference {
  return { name: object.metadata.name, uid: object.metadata.uid };
}

/** The node of a pod; without uid when the node is not known. */
function nodeClaim(reader: ObjectReader, name: string): ClaimReference | undefined {
  if (name === '') return undefined;
  const node = reader.get<Node>(resources.nodes, '', name);
  return node === undefined ? { name } : claim(node);
}
