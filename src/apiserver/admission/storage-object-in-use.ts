import { isResource } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

const finalizers: readonly { group: string; resource: string; finalizer: string }[] = [
  { group: '', resource: 'persistentvolumeclaims', finalizer: 'kubernetes.io/pvc-protection' },
  { group: '', resource: 'persistentvolumes', finalizer: 'kubernetes.io/pv-protection' },
  {
    group: 'storage.k8s.io',
    resource: 'volumeattributesclasses',
    finalizer: 'kubernetes.io/vac-protection',
  },
];

/** Volumes, claims and volume classes stay until nobody uses them: a finalizer says so. */
export function createStorageObjectInUseProtection(): AdmissionPlugin {
  const finalizerOf = (attributes: AdmissionAttributes): string | undefined =>
    finalizers.find(({ group, resource }) => isResource(attributes, group, resource))?.finalizer;
  return {
    name: 'StorageObjectInUseProtection',
    handles: (attributes) =>
      attributes.operation === 'CREATE' && finalizerOf(attributes) !== undefined,
    mutate(attributes) {
      const finalizer = finalizerOf(attributes);
      const metadata = attributes.object?.metadata;
      if (finalizer === undefined || metadata === undefined) return;
      const own = metadata.finalizers ?? [];
      if (!own.includes(finalizer)) metadata.finalizers = [...own, finalizer];
    },
  };
}
