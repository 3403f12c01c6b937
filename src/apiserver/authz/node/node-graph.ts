import { resources } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { PersistentVolume, Pod, SecretReference } from '#schema/types.ts';

import type { ObjectReader } from '../object-reader.ts';
import { podReferences } from '../pod-references.ts';

const volumeAttachments: GroupVersionResource = {
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'volumeattachments',
};
const resourceSlices: GroupVersionResource = {
  group: 'resource.k8s.io',
  version: 'v1',
  resource: 'resourceslices',
};

/** Kinds of objects that a node may reach through its pods. */
export type RelatedKind =
  | 'secret'
  | 'configmap'
  | 'persistentvolumeclaim'
  | 'resourceclaim'
  | 'serviceaccount';

interface PodEntry {
  readonly node: string;
  /** What references follow from, beside what never changes in a pod. */
  readonly basis: string;
  readonly references: readonly string[];
}

/**
 * Which objects belong to which node: those its pods refer to, the volumes behind their claims,
 * and the secrets behind those volumes. Follows the reader until `close`.
 */
export class NodeGraph {
  #reader: ObjectReader;
  #pods = new Map<string, PodEntry>();
  /** Node -> reference -> number of pods that make it. */
  #nodes = new Map<string, Map<string, number>>();
  /** Secret key -> names of volumes that need it on the node. */
  #volumesBySecret = new Map<string, Set<string>>();
  #removers: (() => void)[];

  constructor(options: { reader: ObjectReader }) {
    this.#reader = options.reader;
    this.#removers = [
      this.#reader.onChange<Pod>(resources.pods, (change) => {
        // The old state is not looked at: it would have to be parsed for nothing.
        if (change.next !== undefined) this.#putPod(change.next);
        else if (change.previous !== undefined) this.#removePod(podKey(change.previous));
      }),
      this.#reader.onChange<PersistentVolume>(resources.persistentVolumes, ({ next, previous }) => {
        for (const key of secretsOf(previous)) {
          const names = this.#volumesBySecret.get(key);
          names?.delete(previous?.metadata.name ?? '');
          if (names?.size === 0) this.#volumesBySecret.delete(key);
        }
        for (const key of secretsOf(next)) {
          const names = this.#volumesBySecret.get(key) ?? new Set<string>();
          this.#volumesBySecret.set(key, names.add(next?.metadata.name ?? ''));
        }
      }),
    ];
  }

  /** Whether a pod of the node refers to the object, a secret also through a volume. */
  refersTo(node: string, kind: RelatedKind, namespace: string, name: string): boolean {
    const references = this.#nodes.get(node);
    if (references === undefined) return false;
    const key = `${kind}/${namespace}/${name}`;
    if (references.has(key)) return true;
    if (kind !== 'secret') return false;
    for (const volume of this.#volumesBySecret.get(`${namespace}/${name}`) ?? []) {
      if (this.usesVolume(node, volume)) return true;
    }
    return false;
  }

  /** Whether a pod of the node uses the claim that the volume is bound to. */
  usesVolume(node: string, name: string): boolean {
    const volume = this.#reader.get<PersistentVolume>(resources.persistentVolumes, '', name);
    const claim = volume?.spec?.claimRef;
    if (claim === undefined) return false;
    const key = `persistentvolumeclaim/${claim.namespace ?? ''}/${claim.name ?? ''}`;
    return this.#nodes.get(node)?.has(key) === true;
  }

  runsPod(node: string, namespace: string, name: string): boolean {
    return this.#pods.get(`${namespace}/${name}`)?.node === node;
  }

  /** Whether an object that names its node (VolumeAttachment, ResourceSlice) names this one. */
  ownsByField(node: string, kind: 'volumeattachments' | 'resourceslices', name: string): boolean {
    const resource = kind === 'volumeattachments' ? volumeAttachments : resourceSlices;
    const object = this.#reader.get<KubeObject & { spec?: { nodeName?: string } }>(
      resource,
      '',
      name,
    );
    return object?.spec?.nodeName === node;
  }

  close(): void {
    for (const remove of this.#removers) remove();
    this.#removers = [];
  }

  #putPod(pod: Pod): void {
    const key = podKey(pod);
    const basis = basisOf(pod);
    if (this.#pods.get(key)?.basis === basis) return;
    this.#removePod(key);
    const node = pod.spec?.nodeName ?? '';
    if (node === '') return;
    const entry = { node, basis, references: referencesOf(pod) };
    this.#pods.set(key, entry);
    this.#count(entry, 1);
  }

  #removePod(key: string): void {
    const entry = this.#pods.get(key);
    if (entry === undefined) return;
    this.#pods.delete(key);
    this.#count(entry, -1);
  }

  #count(entry: PodEntry, by: 1 | -1): void {
    let references = this.#nodes.get(entry.node);
    if (references === undefined) {
      this.#nodes.set(entry.node, (references = new Map<string, number>()));
    }
    for (const reference of entry.references) {
      const count = (references.get(reference) ?? 0) + by;
      if (count > 0) references.set(reference, count);
      else references.delete(reference);
    }
    if (references.size === 0) this.#nodes.delete(entry.node);
  }
}

function podKey(pod: Pod): string {
  return `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
}

/** References are immutable but for the node, ephemeral containers and made resource claims. */
function basisOf(pod: Pod): string {
  const ephemeral = pod.spec?.ephemeralContainers?.length ?? 0;
  const claims = pod.status?.resourceClaimStatuses?.length ?? 0;
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName ?? '';
  return `${pod.metadata.uid ?? ''} ${pod.spec?.nodeName ?? ''} ${ephemeral} ${claims} ${extended}`;
}

function referencesOf(pod: Pod): string[] {
  // A mirror pod shows what a node runs by itself: it opens nothing.
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return [];
  const namespace = pod.metadata.namespace ?? '';
  const found = podReferences(pod);
  const keys = (kind: RelatedKind, names: readonly string[]): string[] =>
    names.map((name) => `${kind}/${namespace}/${name}`);
  const account = pod.spec?.serviceAccountName ?? '';
  return [
    ...keys('secret', found.secrets),
    ...keys('configmap', found.configMaps),
    ...keys('persistentvolumeclaim', found.persistentVolumeClaims),
    ...keys('resourceclaim', found.resourceClaims),
    ...keys('serviceaccount', account === '' ? [] : [account]),
  ];
}

/** Secrets that the kubelet needs to mount the volume, as namespace/name. */
function secretsOf(volume: PersistentVolume | undefined): string[] {
  const spec = volume?.spec;
  if (spec === undefined) return [];
  const claimNamespace = spec.claimRef?.namespace ?? '';
  const references: (SecretReference | undefined)[] = [
    spec.cephfs?.secretRef,
    spec.cinder?.secretRef,
    spec.flexVolume?.secretRef,
    spec.rbd?.secretRef,
    spec.scaleIO?.secretRef,
    spec.iscsi?.secretRef,
    spec.storageos?.secretRef,
    spec.csi?.nodePublishSecretRef,
    spec.csi?.nodeStageSecretRef,
    spec.csi?.nodeExpandSecretRef,
  ];
  if (spec.azureFile !== undefined) {
    const { secretName: name, secretNamespace } = spec.azureFile;
    references.push({ name, namespace: secretNamespace });
  }
  return references
    .filter((reference) => reference?.name !== undefined && reference.name !== '')
    .map((reference) => `${reference?.namespace ?? claimNamespace}/${reference?.name ?? ''}`);
}
