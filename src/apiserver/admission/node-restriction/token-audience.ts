import { resources } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';
import type {
  CSIDriver,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from '#schema/types.ts';
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
  const errors: string[] = [];
  if (pod !== undefined && refersTo({ reader, pod, audience, errors })) return undefined;
  if (errors.length > 0) {
    const why = errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`;
    return `error validating audience ${JSON.stringify(audience)}: ${why}`;
  }
  const verb = 'request-serviceaccounts-token-audience';
  const { decision, error } = await authorizer.authorize({
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
  const missing = `audience ${JSON.stringify(audience)} not found in pod spec volume`;
  const { name: node } = context.user;
  return error === undefined
    ? `${missing}, ${node} is not authorized to request tokens for this audience`
    : `${missing}, error authorizing ${node} to request tokens for this audience: ${error}`;
}

interface Search {
  readonly reader: ObjectReader;
  readonly pod: Pod;
  readonly audience: string;
  /** Filled with what could not be looked up. */
  readonly errors: string[];
}

/** Whether a token for the audience is in a volume of the pod; empty is the API server's own. */
function refersTo(search: Search): boolean {
  const { reader, audience, errors } = search;
  for (const volume of search.pod.spec?.volumes ?? []) {
    for (const { serviceAccountToken: token } of volume.projected?.sources ?? []) {
      if (token !== undefined && (token.audience ?? '') === audience) return true;
    }
    const name = driverOfVolume(search, volume);
    if (name === undefined) continue;
    const driver = reader.get<CSIDriver>(csiDrivers, '', name);
    if (driver === undefined) errors.push(missingText('csidriver.storage.k8s.io', name));
    const requests = driver?.spec.tokenRequests ?? [];
    if (requests.some((request) => request.audience === audience)) return true;
  }
  return false;
}

function driverOfVolume(search: Search, volume: Volume): string | undefined {
  if (volume.ephemeral !== undefined) {
    return driverOfClaim(search, `${search.pod.metadata.name}-${volume.name}`);
  }
  const claim = volume.persistentVolumeClaim?.claimName;
  if (claim !== undefined) return driverOfClaim(search, claim);
  return volume.csi?.driver ?? migratedDriver(volume);
}

function driverOfClaim({ reader, pod, errors }: Search, name: string): string | undefined {
  const { namespace = '' } = pod.metadata;
  const claim = reader.get<PersistentVolumeClaim>(
    resources.persistentVolumeClaims,
    namespace,
    name,
  );
  if (claim === undefined) {
    errors.push(missingText('persistentvolumeclaim', name));
    return undefined;
  }
  const volumeName = claim.spec?.volumeName ?? '';
  const volume = reader.get<PersistentVolume>(resources.persistentVolumes, '', volumeName);
  if (volume === undefined) {
    errors.push(missingText('persistentvolume', volumeName));
    return undefined;
  }
  return volume.spec?.csi?.driver ?? (volume.spec && migratedDriver(volume.spec));
}

/** CSI drivers that took over kinds of volumes, by the field of the volume. */
const migratedDrivers = {
  awsElasticBlockStore: 'ebs.csi.aws.com',
  azureDisk: 'disk.csi.azure.com',
  azureFile: 'file.csi.azure.com',
  cinder: 'cinder.csi.openstack.org',
  gcePersistentDisk: 'pd.csi.storage.gke.io',
  portworxVolume: 'pxd.portworx.com',
  vsphereVolume: 'csi.vsphere.vmware.com',
} as const;

function migratedDriver(source: object): string | undefined {
  return Object.entries(migratedDrivers).find(([field]) => Object.hasOwn(source, field))?.[1];
}

function missingText(resource: string, name: string): string {
  return `${resource} ${JSON.stringify(name)} not found`;
}
