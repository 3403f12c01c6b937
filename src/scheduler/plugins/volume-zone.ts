import { claimClass, podClaims } from '#schema/volumes/mod.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip, unresolvable } from '../framework/status.ts';
import type { StorageLookups } from '../framework/storage-lookups.ts';
import { usesChangedClaim } from './uses-changed-claim.ts';

export const reason = 'node(s) had no available volume zone';

const stateKey = 'VolumeZone/topologies';
const topologyKeys = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
];
/** The old and the new name of a label mean the same. */
const renamed: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};

interface Topology {
  readonly key: string;
  readonly values: ReadonlySet<string>;
}

/** Bound volumes with zone labels keep their pods in these zones. */
export function createVolumeZone(storage: StorageLookups): Plugin {
  return {
    name: 'VolumeZone',
    retryOn: ['Storage/Update', 'Node/Add', 'Node/UpdateLabel'],
    isHelpedBy: usesChangedClaim,
    preFilter(state, { pod }) {
      const { namespace = '' } = pod.metadata;
      const topologies: Topology[] = [];
      for (const { name } of podClaims(pod)) {
        const claim = storage.claim(namespace, name);
        if (claim === undefined) {
          return { status: unresolvable(`persistentvolumeclaim "${name}" not found`) };
        }
        const volumeName = claim.spec?.volumeName ?? '';
        if (volumeName === '') {
          const mode = storage.storageClass(claimClass(claim))?.volumeBindingMode;
          if (mode === 'WaitForFirstConsumer') continue;
          return { status: unresolvable('PersistentVolume had no name') };
        }
        const labels = storage.volume(volumeName)?.metadata.labels ?? {};
        for (const key of topologyKeys) {
          const value = labels[key];
          if (value !== undefined) topologies.push({ key, values: new Set(value.split('__')) });
        }
      }
      if (topologies.length === 0) return { status: skip };
      state.set(stateKey, topologies);
      return undefined;
    },
    filter(state, _pod, { node }) {
      const labels = node.metadata.labels ?? {};
      // a node that says nothing about zones is in all of them
      if (!topologyKeys.some((key) => labels[key] !== undefined)) return undefined;
      for (const { key, values } of state.get(stateKey) as readonly Topology[]) {
        const value = labels[key] ?? labels[renamed[key] ?? key];
        if (value === undefined || !values.has(value)) return unresolvable(reason);
      }
      return undefined;
    },
  };
}
