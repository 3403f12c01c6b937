import { resources } from '#client/mod.ts';
import type { Binding, Node } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, isResource, podOf } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';

const labels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const;

/** A pod learns zone and region of its node as labels when it is bound. */
export function createPodTopologyLabels(options: { reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    handles: (attributes) =>
      attributes.operation === 'CREATE' &&
      (isResource(attributes, '', 'pods', 'binding') ||
        (isPod(attributes, 'CREATE') && (podOf(attributes).spec.nodeName ?? '') !== '')),
    mutate(attributes) {
      const isBinding = attributes.subresource === 'binding';
      const name = isBinding
        ? (attributes.object as unknown as Binding).target.name
        : podOf(attributes).spec.nodeName;
      const node = options.reader.get<Node>(resources.nodes, '', name ?? '');
      const { object } = attributes;
      if (node === undefined || object === undefined) return;
      for (const label of labels) {
        const value = node.metadata.labels?.[label];
        if (value === undefined) continue;
        object.metadata.labels = { ...object.metadata.labels, [label]: value };
      }
    },
  };
}
