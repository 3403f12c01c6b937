import type { Container, EphemeralContainer, Pod, ServiceAccount } from '#schema/types.ts';

const annotation = 'kubernetes.io/enforce-mountable-secrets';

/**
 * Why the pod may not use a secret that its account does not list; undefined when it may, or when
 * the account does not ask for the check.
 */
export function mountableSecretsRefusal(account: ServiceAccount, pod: Pod): string | undefined {
  if (account.metadata.annotations?.[annotation] !== 'true') return undefined;
  const listed = new Set((account.secrets ?? []).map((reference) => reference.name));
  const tail = `is not allowed because service account ${account.metadata.name} does not reference that`;
  for (const volume of pod.spec?.volumes ?? []) {
    const name = volume.secret?.secretName;
    if (name !== undefined && !listed.has(name)) {
      return `volume with secret.secretName="${name}" ${tail} secret`;
    }
  }
  const refusal =
    ofContainers('init container', pod.spec?.initContainers ?? [], listed, tail) ??
    ofContainers('container', pod.spec?.containers ?? [], listed, tail) ??
    ofContainers('ephemeral container', pod.spec?.ephemeralContainers ?? [], listed, tail);
  if (refusal !== undefined) return refusal;
  const pullable = new Set((account.imagePullSecrets ?? []).map((reference) => reference.name));
  for (const [index, reference] of (pod.spec?.imagePullSecrets ?? []).entries()) {
    if (!pullable.has(reference.name)) {
      return `imagePullSecrets[${index}].name="${reference.name ?? ''}" ${tail} imagePullSecret`;
    }
  }
  return undefined;
}

function ofContainers(
  kind: string,
  containers: readonly (Container | EphemeralContainer)[],
  listed: ReadonlySet<string | undefined>,
  tail: string,
): string | undefined {
  for (const container of containers) {
    for (const variable of container.env ?? []) {
      const name = variable.valueFrom?.secretKeyRef?.name;
      if (name !== undefined && !listed.has(name)) {
        return `${kind} ${container.name} with envVar ${variable.name} referencing secret.secretName="${name}" ${tail} secret`;
      }
    }
    for (const source of container.envFrom ?? []) {
      const name = source.secretRef?.name;
      if (name !== undefined && !listed.has(name)) {
        return `${kind} ${container.name} with envFrom referencing secret.secretName="${name}" ${tail} secret`;
      }
    }
  }
  return undefined;
}
