import { resources } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';
import type { CSIDriver, PersistentVolume, PersistentVolumeClaim, Pod } from '#schema/types.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import type { AdmissionAttributes } from '../plugin.ts';

const csiDrivers: GroupVersionResource = {
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'csidrivers',
};

/**
 * Why a node may not have a token for the audience that it asks for; undefined when it may: a
 * volume of the pod needs it, or a role lets the node ask (verb
 * request-serviceaccounts-token-audience on a resource of the audience's name). The gate
 * ServiceAccountNodeAudienceRestriction, on in 1.36.
 */
export async function refusedAudience(options: {
  reader: ObjectReader;
  authorizer: Authorizer;
  attributes: AdmissionAttributes;
}): Promise<string | undefined> {
  const { reader, authorizer, attributes } = options;
  if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return undefined;
  const spec = attributes.object?.['spec'] as
    | { audiences?: readonly string[]; boundObjectRef?: { name?: string } }
    | undefined;
  const audiences = spec?.audiences ?? [];
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences';
  const [audience = ''] = audiences;
  const { namespace, name, context } = attributes;
  const pod = reader.get<Pod>(resources.pods, namespace, spec?.boundObjectRef?.name ?? '');
  if (pod !== undefined && audiencesOf(reader, pod).has(audience)) return undefined;
  const verb = 'request-serviceaccounts-token-audience';
  const { decision } = await authorizer.authorize({
    user: context.user,
    path: '',
    verb,
    resource: {
      verb,
      group: '',
      version: 'v1',
      resource: audience,
      subresource: '',
      namespace,
      name,
    },
  });
  if (decision === 'allow') return undefined;
  return `audience ${JSON.stringify(audience)} not found in pod spec volume, ${context.user.name} is not authorized to request tokens for this audience`;
}

/** Audiences of the tokens that the pod's volumes hold; empty for the API server's own. */
function audiencesOf(reader: ObjectReader, pod: Pod): Set<string> {
  const found = new Set<string>();
  const { namespace = '' } = pod.metadata;
  for (const volume of pod.spec?.volumes ?? []) {
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken !== undefined) found.add(serviceAccountToken.audience ?? '');
    }
    const claim =
      volume.persistentVolumeClaim?.claimName ??
      (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
    const driver = volume.csi?.driver ?? driverOfClaim(reader, namespace, claim);
    if (driver === undefined) continue;
    const { spec } = reader.get<CSIDriver>(csiDrivers, '', driver) ?? {};
    for (const { audience } of spec?.tokenRequests ?? []) found.add(audience);
  }
  return found;
}

function driverOfClaim(
  reader: ObjectReader,
  namespace: string,
  claim: string | undefined,
): string | undefined {
  if (claim === undefined) return undefined;
  const { spec } =
    reader.get<PersistentVolumeClaim>(resources.persistentVolumeClaims, namespace, claim) ?? {};
  if (spec?.volumeName === undefined) return undefined;
  const volume = reader.get<PersistentVolume>(resources.persistentVolumes, '', spec.volumeName);
  return volume?.spec?.csi?.driver;
}
