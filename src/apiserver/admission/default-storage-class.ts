import { resources } from '#client/mod.ts';
import type { PersistentVolumeClaim, StorageClass } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { defaultObject } from './default-class.ts';
import { isResource } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';

const annotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** A claim that names no class gets the default one; an empty name means no class at all. */
export function createDefaultStorageClass(options: { reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: (attributes) =>
      attributes.operation === 'CREATE' && isResource(attributes, '', 'persistentvolumeclaims'),
    mutate(attributes) {
      const claim = attributes.object as unknown as PersistentVolumeClaim;
      const old = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'];
      if (claim.spec?.storageClassName !== undefined || old !== undefined) return;
      const classes = options.reader.list<StorageClass>(resources.storageClasses);
      const found = defaultObject(classes, annotations);
      if (found !== undefined) {
        claim.spec = { ...claim.spec, storageClassName: found.metadata.name };
      }
    },
  };
}
