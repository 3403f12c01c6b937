import type { Container, EphemeralContainer, Pod, Volume } from '#schema/types.ts';

/** Names of the objects in its own namespace that a pod refers to, each once. */
export interface PodReferences {
  readonly secrets: readonly string[];
  readonly configMaps: readonly string[];
  readonly persistentVolumeClaims: readonly string[];
  readonly resourceClaims: readonly string[];
}

/** Everything a pod mounts, reads into its environment or pulls images with. */
export function podReferences(pod: Pod): PodReferences {
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  const claims = new Set<string>();
  const add = (set: Set<string>, name: string | undefined): void => {
    if (name !== undefined && name !== '') set.add(name);
  };
  const { spec } = pod;
  for (const reference of spec?.imagePullSecrets ?? []) add(secrets, reference.name);
  for (const container of containersOf(pod)) {
    for (const source of container.envFrom ?? []) {
      add(secrets, source.secretRef?.name);
      add(configMaps, source.configMapRef?.name);
    }
    for (const variable of container.env ?? []) {
      add(secrets, variable.valueFrom?.secretKeyRef?.name);
      add(configMaps, variable.valueFrom?.configMapKeyRef?.name);
    }
  }
  for (const volume of spec?.volumes ?? []) {
    for (const name of volumeSecrets(volume)) add(secrets, name);
    add(configMaps, volume.configMap?.name);
    for (const source of volume.projected?.sources ?? []) {
      add(secrets, source.secret?.name);
      add(configMaps, source.configMap?.name);
    }
    add(claims, volume.persistentVolumeClaim?.claimName);
    if (volume.ephemeral !== undefined) add(claims, `${pod.metadata.name}-${volume.name}`);
  }
  return {
    secrets: [...secrets],
    configMaps: [...configMaps],
    persistentVolumeClaims: [...claims],
    resourceClaims: resourceClaimsOf(pod),
  };
}

function containersOf(pod: Pod): (Container | EphemeralContainer)[] {
  const { spec } = pod;
  return [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
}

function volumeSecrets(volume: Volume): (string | undefined)[] {
  return [
    volume.secret?.secretName,
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
  ];
}

function resourceClaimsOf(pod: Pod): string[] {
  const made = new Map(
    (pod.status?.resourceClaimStatuses ?? []).map((entry) => [entry.name, entry.resourceClaimName]),
  );
  const names = new Set<string>();
  for (const claim of pod.spec?.resourceClaims ?? []) {
    const name = claim.resourceClaimName ?? made.get(claim.name);
    if (name !== undefined) names.add(name);
  }
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName ?? '';
  if (extended !== '') names.add(extended);
  return [...names];
}
