import { controllerOf, objectKey } from '#client/mod.ts';
import type { Expectations, Informer, InformerHandler } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { Pod } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';
import { isDeleting, isPodReady } from './pod-state.ts';

/** Turns changes of pods into observed expectations and owners to look at. */
export function createOwnedPodHandler<T extends KubeObject>(options: {
  owners: Informer<T>;
  kind: string;
  selectorOf: (owner: T) => LabelSelector;
  minReadySecondsOf: (owner: T) => number;
  expectations: Expectations;
  enqueue: (key: string) => void;
  enqueueAfter: (key: string, delayMs: number) => void;
}): InformerHandler<Pod> {
  const { owners, expectations, enqueue, enqueueAfter } = options;

  /** The owner that controls the pod, if it is one of ours and not another of the same name. */
  const ownerOf = (pod: Pod): T | undefined => {
    const reference = controllerOf(pod);
    if (reference?.kind !== options.kind) return undefined;
    const owner = owners.get(`${pod.metadata.namespace}/${reference.name}`);
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  };
  const enqueueMatching = (pod: Pod): void => {
    for (const owner of owners.listNamespace(pod.metadata.namespace ?? '')) {
      if (options.selectorOf(owner).matches(pod.metadata.labels)) enqueue(objectKey(owner));
    }
  };
  const observeDeletion = (pod: Pod): void => {
    const owner = ownerOf(pod);
    if (owner === undefined) return;
    expectations.deletionObserved(objectKey(owner), pod.metadata.uid ?? '');
    enqueue(objectKey(owner));
  };
  const onAdd = (pod: Pod): void => {
    // After a restart a pod may be met for the first time while it is going away.
    if (isDeleting(pod)) {
      observeDeletion(pod);
      return;
    }
    if (controllerOf(pod) === undefined) {
      enqueueMatching(pod);
      return;
    }
    const owner = ownerOf(pod);
    if (owner === undefined) return;
    expectations.creationObserved(objectKey(owner));
    enqueue(objectKey(owner));
  };
  const onUpdate = (old: Pod, pod: Pod): void => {
    if (isDeleting(pod)) {
      observeDeletion(pod);
      return;
    }
    const hasOtherOwner = controllerOf(old)?.uid !== controllerOf(pod)?.uid;
    const former = hasOtherOwner ? ownerOf(old) : undefined;
    if (former !== undefined) enqueue(objectKey(former));
    const owner = ownerOf(pod);
    if (owner !== undefined) {
      enqueue(objectKey(owner));
      const minReadySeconds = options.minReadySecondsOf(owner);
      if (minReadySeconds > 0 && isPodReady(pod) && !isPodReady(old)) {
        // One more second: times in conditions are cut to seconds.
        enqueueAfter(objectKey(owner), (minReadySeconds + 1) * 1000);
      }
      return;
    }
    const isRelabeled = !isSameJson(old.metadata.labels, pod.metadata.labels);
    if (controllerOf(pod) === undefined && (isRelabeled || hasOtherOwner)) enqueueMatching(pod);
  };
  return { onAdd, onUpdate, onDelete: observeDeletion };
}
