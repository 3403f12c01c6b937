import { controllerOf } from '#client/mod.ts';
import type { Informer } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';

const ownerIndex = 'controller-uid';
const orphanIndex = 'orphan-namespace';

/** Lets an informer find objects by their controller's uid, and those without one by namespace. */
export function indexByController<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(ownerIndex, (object) => {
    const uid = controllerOf(object)?.uid;
    return uid === undefined ? [] : [uid];
  });
  informer.addIndex(orphanIndex, (object) =>
    controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : [],
  );
}

export function controlledBy<T extends KubeObject>(informer: Informer<T>, uid: string): T[] {
  return informer.byIndex(ownerIndex, uid);
}

/** What a controller may claim: its own objects and those of its namespace that nobody controls. */
export function claimable<T extends KubeObject>(informer: Informer<T>, owner: KubeObject): T[] {
  const { uid = '', namespace = '' } = owner.metadata;
  return [...informer.byIndex(ownerIndex, uid), ...informer.byIndex(orphanIndex, namespace)];
}
