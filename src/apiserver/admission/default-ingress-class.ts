import type { GroupVersionResource } from '#schema/mod.ts';
import type { Ingress, IngressClass } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { defaultObject } from './default-class.ts';
import { isResource } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';

const ingressClasses: GroupVersionResource = {
  group: 'networking.k8s.io',
  version: 'v1',
  resource: 'ingressclasses',
};

/** An ingress that names no class, by field or by the old annotation, gets the default one. */
export function createDefaultIngressClass(options: { reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: (attributes) =>
      attributes.operation === 'CREATE' && isResource(attributes, 'networking.k8s.io', 'ingresses'),
    mutate(attributes) {
      const ingress = attributes.object as unknown as Ingress;
      const old = ingress.metadata.annotations?.['kubernetes.io/ingress.class'];
      if (ingress.spec?.ingressClassName !== undefined || old !== undefined) return;
      const found = defaultObject(options.reader.list<IngressClass>(ingressClasses), [
        'ingressclass.kubernetes.io/is-default-class',
      ]);
      if (found !== undefined) {
        ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name };
      }
    },
  };
}
