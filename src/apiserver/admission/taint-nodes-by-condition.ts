import type { Node, Taint } from '#schema/types.ts';

import { isResource } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';

const taint: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

/** A new node takes no pods until the node controller saw that it is ready. */
export function createTaintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    handles: (attributes) =>
      attributes.operation === 'CREATE' && isResource(attributes, '', 'nodes'),
    mutate(attributes) {
      const node = attributes.object as unknown as Node;
      const taints = node.spec?.taints ?? [];
      if (taints.some((own) => own.key === taint.key && own.effect === taint.effect)) return;
      node.spec = { ...node.spec, taints: [...taints, { ...taint }] };
    },
  };
}
