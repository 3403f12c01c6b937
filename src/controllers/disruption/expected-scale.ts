import { hasReason } from '#base/api-status-error.ts';
import { K3tsError } from '#base/errors.ts';
import { controllerOf, resources } from '#client/mod.ts';
import type { Client, Informer } from '#client/mod.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';
import type {
  Deployment,
  OwnerReference,
  Pod,
  ReplicaSet,
  ReplicationController,
  Scale,
  StatefulSet,
} from '#schema/types.ts';

export interface ScaleSources {
  readonly client: Client;
  readonly deployments: Informer<Deployment>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly replicationControllers: Informer<ReplicationController>;
  readonly statefulSets: Informer<StatefulSet>;
  readonly resources: () => readonly ResourceInfo[];
}

export function scaleInformers(informers: {
  informer: <T extends KubeObject>(resource: typeof resources.pods) => Informer<T>;
}): Omit<ScaleSources, 'client' | 'resources'> {
  return {
    deployments: informers.informer<Deployment>(resources.deployments),
    replicaSets: informers.informer<ReplicaSet>(resources.replicaSets),
    replicationControllers: informers.informer<ReplicationController>(
      resources.replicationControllers,
    ),
    statefulSets: informers.informer<StatefulSet>(resources.statefulSets),
  };
}

/** Sizes of all controllers of the pods, and the pods that have none. */
export async function expectedScale(
  sources: ScaleSources,
  pods: readonly Pod[],
): Promise<{ scale: number; unmanaged: readonly string[] }> {
  const scales = new Map<string, number>();
  const seen = new Set<string>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) {
      unmanaged.push(pod.metadata.name);
      continue;
    }
    if (seen.has(owner.uid)) continue;
    seen.add(owner.uid);
    const found = await scaleOf(sources, owner, pod.metadata.namespace ?? '');
    if (found === undefined) {
      const text = `found no controllers for pod "${pod.metadata.name}"`;
      throw new K3tsError('ControllerNotFound', text);
    }
    scales.set(found.uid, found.scale);
  }
  const scale = [...scales.values()].reduce((sum, value) => sum + value, 0);
  return { scale, unmanaged };
}

interface Sized {
  readonly uid: string;
  readonly scale: number;
}

/** The owner's size, or that of the Deployment behind it. */
async function scaleOf(
  sources: ScaleSources,
  owner: OwnerReference,
  namespace: string,
): Promise<Sized | undefined> {
  const key = `${namespace}/${owner.name}`;
  const sized = (
    object: Deployment | ReplicaSet | ReplicationController | StatefulSet | undefined,
    uid: string,
  ): Sized | undefined =>
    object?.metadata.uid === uid ? { uid, scale: object.spec?.replicas ?? 1 } : undefined;
  const group = owner.apiVersion.split('/')[0];
  switch (`${group}/${owner.kind}`) {
    case 'apps/ReplicaSet': {
      const set = sources.replicaSets.get(key);
      const parent = set?.metadata.uid === owner.uid ? controllerOf(set) : undefined;
      if (parent?.kind !== 'Deployment') return sized(set, owner.uid);
      return sized(sources.deployments.get(`${namespace}/${parent.name}`), parent.uid);
    }
    case 'v1/ReplicationController':
      return sized(sources.replicationControllers.get(key), owner.uid);
    case 'apps/StatefulSet':
      return sized(sources.statefulSets.get(key), owner.uid);
    default:
      return await scaleOfOther(sources, owner, namespace);
  }
}

/** Any other kind that has a scale, custom ones included. */
async function scaleOfOther(
  sources: ScaleSources,
  owner: OwnerReference,
  namespace: string,
): Promise<Sized | undefined> {
  const [group = '', version] = owner.apiVersion.includes('/')
    ? owner.apiVersion.split('/')
    : ['', owner.apiVersion];
  const resource = sources
    .resources()
    .find((info) => info.group === group && info.version === version && info.kind === owner.kind);
  if (resource === undefined) return undefined;
  if (!resource.subresources.some(({ name }) => name === 'scale')) {
    const text = `${resource.resource}${group === '' ? '' : `.${group}`} does not implement the scale subresource`;
    throw new K3tsError('NoScale', text);
  }
  try {
    const options = { namespace, subresource: 'scale' };
    const scale = await sources.client.get<Scale>(resource, owner.name, options);
    if (scale.metadata.uid !== owner.uid) return undefined;
    return { uid: owner.uid, scale: scale.spec?.replicas ?? 0 };
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
