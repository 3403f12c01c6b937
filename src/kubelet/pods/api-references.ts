import type { Pod, Volume } from '#schema/types.ts';
import { containersOf, specOf } from './names.ts';

/** The resource of API objects that a pod needs, which a static pod may not; undefined for none. */
export function apiReference(pod: Pod): string | undefined {
  const spec = specOf(pod);
  if ((spec.serviceAccountName ?? '') !== '') return 'serviceaccounts';
  const environment = containersOf(pod).flatMap(({ container }) => [
    ...(container.envFrom ?? []).map((source) => ({
      secret: source.secretRef,
      configMap: source.configMapRef,
    })),
    ...(container.env ?? []).map(({ valueFrom }) => ({
      secret: valueFrom?.secretKeyRef,
      configMap: valueFrom?.configMapKeyRef,
    })),
  ]);
  const volumes = spec.volumes ?? [];
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  const sources = [...volumes, ...projected];
  if (
    (spec.imagePullSecrets ?? []).length > 0 ||
    environment.some(({ secret }) => secret !== undefined) ||
    sources.some(({ secret }) => secret !== undefined) ||
    volumes.some(hasCredentials)
  ) {
    return 'secrets';
  }
  if (
    environment.some(({ configMap }) => configMap !== undefined) ||
    sources.some(({ configMap }) => configMap !== undefined)
  ) {
    return 'configmaps';
  }
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims';
  for (const volume of volumes) {
    const resource = volumeReference(volume);
    if (resource !== undefined) return resource;
  }
  return undefined;
}

/** Secrets and config maps in volumes are found before. */
function volumeReference(volume: Volume): string | undefined {
  if (volume.csi !== undefined) return 'csidrivers (via CSI volumes)';
  if (volume.glusterfs !== undefined) return 'endpoints (via glusterFS volumes)';
  if (volume.persistentVolumeClaim !== undefined) return 'persistentvolumeclaims';
  if (volume.ephemeral !== undefined) return 'persistentvolumeclaims (via ephemeral volumes)';
  for (const source of volume.projected?.sources ?? []) {
    if (source.serviceAccountToken !== undefined) return 'serviceaccounts (via projected volumes)';
    if (source.clusterTrustBundle !== undefined) return 'clustertrustbundles';
    if (source.podCertificate !== undefined) return 'podcertificates';
  }
  return undefined;
}

/** File systems of the network that log in with a secret. */
function hasCredentials(volume: Volume): boolean {
  const { azureFile, cephfs, cinder, csi, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  const secrets = [cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos].map(
    (source) => source?.secretRef,
  );
  return [azureFile?.secretName, csi?.nodePublishSecretRef, ...secrets].some(
    (secret) => secret !== undefined,
  );
}
