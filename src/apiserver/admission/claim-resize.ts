import { compareQuantity, parseQuantity, zeroQuantity } from '#base/quantity.ts';
import { resources } from '#client/mod.ts';
import type { PersistentVolumeClaim, StorageClass } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { isResource, refuse } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';

/** Only bound claims of a class that allows it may ask for more space. */
export function createPersistentVolumeClaimResize(options: {
  reader: ObjectReader;
}): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    handles: (attributes) =>
      attributes.operation === 'UPDATE' && isResource(attributes, '', 'persistentvolumeclaims'),
    validate(attributes) {
      const claim = attributes.object as unknown as PersistentVolumeClaim;
      const old = attributes.oldObject as unknown as PersistentVolumeClaim;
      if (compareQuantity(sizeOf(claim), sizeOf(old)) <= 0) return;
      if (old.status?.phase !== 'Bound') {
        throw refuse(attributes, 'Only bound persistent volume claims can be expanded');
      }
      const name =
        claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ??
        claim.spec?.storageClassName ??
        '';
      const found = options.reader.get<StorageClass>(resources.storageClasses, '', name);
      if (found?.allowVolumeExpansion === true) return;
      throw refuse(
        attributes,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
    },
  };
}

function sizeOf(claim: PersistentVolumeClaim) {
  const text = claim.spec?.resources?.requests?.['storage'];
  return text === undefined ? zeroQuantity : parseQuantity(text);
}
