import type { Informer } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';

const nodeIndex = 'node-name';

export function indexByNode(pods: Informer<Pod>): void {
  pods.addIndex(nodeIndex, (pod) => {
    const name = pod.spec?.nodeName ?? '';
    return name === '' ? [] : [name];
  });
}

export function podsOnNode(pods: Informer<Pod>, name: string): Pod[] {
  return pods.byIndex(nodeIndex, name);
}
