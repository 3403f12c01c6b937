import type { Pod } from '#schema/types.ts';
import { containersOf, specOf } from './names.ts';

/** The kind of API objects that a pod needs, which a static pod may not; undefined for none. */
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
    sources.some(({ secret }) => secret !== undefined)
  ) {
    return 'secrets';
  }
  if (
    environment.some(({ configMap }) => configMap !== undefined) ||
    sources.some(({ configMap }) => configMap !== undefined)
  ) {
    return 'configmaps';
  }
  if (projected.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined)) {
    return 'clustertrustbundles';
  }
  if (projected.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)) {
    return 'serviceaccounts';
  }
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims';
  if (volumes.some((volume) => volume.persistentVolumeClaim ?? volume.ephemeral)) {
    return 'persistentvolumeclaims';
  }
  return volumes.some(({ csi }) => csi !== undefined) ? 'csidrivers' : undefined;
}
