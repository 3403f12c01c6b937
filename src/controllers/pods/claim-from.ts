import type { Client, Informer } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { LabelSelector as Selector } from '#schema/types.ts';
import { claimObjects } from './claim.ts';
import { claimable } from './owned-objects.ts';

/** An owner whose spec says by labels what belongs to it. */
interface Selecting extends KubeObject {
  spec?: { selector?: Selector | undefined } | undefined;
}

/** Claims what an owner's selector picks in an informer, as claimObjects does. */
export async function claimFrom<T extends KubeObject>(
  informer: Informer<T>,
  options: {
    client: Client;
    owner: Selecting;
    ownerResource: GroupVersionResource;
    resource: GroupVersionResource;
    /** Others are neither adopted nor let go. */
    isCandidate?: ((object: T) => boolean) | undefined;
    finalizer?: string | undefined;
  },
): Promise<T[]> {
  const { owner, isCandidate, ...rest } = options;
  const all = claimable(informer, owner);
  return await claimObjects<T>({
    ...rest,
    owner,
    selector: labelSelectorFrom(owner.spec?.selector),
    candidates: isCandidate === undefined ? all : all.filter(isCandidate),
  });
}
