import type { Pod, Volume, VolumeProjection } from '#schema/types.ts';

import { podReferences } from '../../authz/pod-references.ts';

/** Volumes that need nothing from the API; a field of a volume that is not known is refused. */
const selfContained = new Set([
  'awsElasticBlockStore',
  'azureDisk',
  'cephfs',
  'cinder',
  'downwardAPI',
  'emptyDir',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'hostPath',
  'image',
  'iscsi',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
]);

const byVolume: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via configmap volumes)',
  secret: 'secrets (via secret volumes)',
  csi: 'csidrivers (via CSI volumes)',
  glusterfs: 'endpoints (via glusterFS volumes)',
  persistentVolumeClaim: 'persistentvolumeclaims',
  ephemeral: 'persistentvolumeclaims (via ephemeral volumes)',
  azureFile: 'secrets (via azureFile volumes)',
};

const bySource: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via projected volumes)',
  secret: 'secrets (via projected volumes)',
  serviceAccountToken: 'serviceaccounts (via projected volumes)',
  clusterTrustBundle: 'clustertrustbundles',
  podCertificate: 'podcertificates',
};

/**
 * What of the API the pod needs, in upstream's words; undefined when it needs nothing. Throws for a
 * volume of no known kind.
 */
export function apiReferenceOf(pod: Pod): string | undefined {
  if ((pod.spec?.serviceAccountName ?? '') !== '') return 'serviceaccounts';
  const references = podReferences(pod);
  if (references.secrets.length > 0) return 'secrets';
  if (references.configMaps.length > 0) return 'configmaps';
  if ((pod.spec?.resourceClaims ?? []).length > 0) return 'resourceclaims';
  for (const volume of pod.spec?.volumes ?? []) {
    const found = referenceOfVolume(volume);
    if (found !== undefined) return found;
  }
  return undefined;
}

function referenceOfVolume(volume: Volume): string | undefined {
  if (volume.projected !== undefined) {
    for (const source of volume.projected.sources ?? []) {
      const found = referenceOfSource(source, volume.name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? '';
  if (selfContained.has(kind)) return undefined;
  const found = byVolume[kind];
  if (found !== undefined) return found;
  throw new Error(`unknown volume type for volume  ${JSON.stringify(volume.name)}`);
}

function referenceOfSource(source: VolumeProjection, volume: string): string | undefined {
  const [kind = ''] = Object.keys(source);
  const found = bySource[kind];
  if (found !== undefined || kind === 'downwardAPI') return found;
  throw new Error(`unknown source for projected volume ${JSON.stringify(volume)}`);
}
