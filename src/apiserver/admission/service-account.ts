import { resources } from '#client/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { nameSuffix } from '#base/random.ts';
import type { Container, Pod, ServiceAccount, Volume } from '#schema/types.ts';

import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { podReferences } from '../authz/pod-references.ts';
import { isMirrorPod, isPod, isResource, podOf, refuse } from './match.ts';
import { mountableSecretsRefusal } from './mountable-secrets.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
/** The lifetime that pods get; upstream's value marks tokens that may live longer. */
const tokenSeconds = 3607;
/** A new namespace has no `default` account until the controller made it: wait this long. */
const defaultAccountAttempts = 10;
const defaultAccountWaitMs = 100;

export interface ServiceAccountOptions {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly random: Random;
}

/** Gives a pod its service account, the account's token and its image pull secrets. */
export function createServiceAccountPlugin(options: ServiceAccountOptions): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    handles: (attributes) =>
      isPod(attributes, 'CREATE') || isResource(attributes, '', 'pods', 'ephemeralcontainers'),
    async mutate(attributes) {
      if (attributes.subresource !== '') return;
      const pod = podOf(attributes);
      // A changed mirror pod would no longer be what the kubelet runs.
      if (isMirrorPod(pod)) return;
      const { spec } = pod;
      if ((spec.serviceAccountName ?? '') === '') spec.serviceAccountName = 'default';
      spec.serviceAccount = spec.serviceAccountName;
      const account = await findAccount(options, attributes, spec.serviceAccountName ?? '');
      const automount =
        spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
      if (automount) mountToken(pod, options.random);
      if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined) {
        spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => ({ name }));
      }
    },
    async validate(attributes) {
      const pod = podOf(attributes);
      if (isMirrorPod(pod)) {
        const why = mirrorRefusal(pod);
        if (why !== undefined) throw refuse(attributes, why);
        return;
      }
      const name = pod.spec.serviceAccountName ?? '';
      if (name === '') {
        throw refuse(
          attributes,
          `no service account specified for pod ${attributes.namespace}/${attributes.name}`,
        );
      }
      const account = await findAccount(options, attributes, name);
      const why = mountableSecretsRefusal(account, pod);
      if (why !== undefined) throw refuse(attributes, why);
    },
  };
}

async function findAccount(
  options: ServiceAccountOptions,
  attributes: AdmissionAttributes,
  name: string,
): Promise<ServiceAccount> {
  const { namespace } = attributes;
  const attempts = name === 'default' ? defaultAccountAttempts : 1;
  for (let attempt = 1; ; attempt++) {
    const account = await getOrRefresh<ServiceAccount>(
      options.reader,
      resources.serviceAccounts,
      namespace,
      name,
    );
    if (account !== undefined) return account;
    if (attempt === attempts) break;
    await options.clock.sleep(defaultAccountWaitMs, attributes.context.signal);
  }
  throw refuse(
    attributes,
    `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
  );
}

function mountToken(pod: Pod & { spec: NonNullable<Pod['spec']> }, random: Random): void {
  const { spec } = pod;
  const volumes = spec.volumes ?? [];
  const existing = volumes.find(
    (volume) => volume.name.startsWith(volumePrefix) && volume.projected !== undefined,
  );
  const name = existing?.name ?? freeVolumeName(volumes, random);
  let isNeeded = false;
  const mount = (container: Container): void => {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some((entry) => entry.mountPath === mountPath)) return;
    container.volumeMounts = [...mounts, { name, readOnly: true, mountPath }];
    isNeeded = true;
  };
  for (const container of spec.initContainers ?? []) mount(container);
  // Validation, which asks for containers, comes after admission.
  for (const container of spec.containers ?? []) mount(container);
  if (isNeeded && existing === undefined) spec.volumes = [...volumes, tokenVolume(name)];
}

function freeVolumeName(volumes: readonly Volume[], random: Random): string {
  for (;;) {
    const name = volumePrefix + nameSuffix(random);
    if (!volumes.some((volume) => volume.name === name)) return name;
  }
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [
              {
                path: 'namespace',
                fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
              },
            ],
          },
        },
      ],
      defaultMode: 420,
    },
  };
}

function mirrorRefusal(pod: Pod): string | undefined {
  if ((pod.spec?.serviceAccountName ?? '') !== '') {
    return 'a mirror pod may not reference service accounts';
  }
  if (podReferences(pod).secrets.length > 0) return 'a mirror pod may not reference secrets';
  const hasToken = (pod.spec?.volumes ?? []).some((volume) =>
    volume.projected?.sources?.some((source) => source.serviceAccountToken !== undefined),
  );
  return hasToken ? 'a mirror pod may not use ServiceAccountToken volume projections' : undefined;
}
