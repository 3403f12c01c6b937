import { controllerOf, objectKey } from '#client/mod.ts';
import type { Expectations, Informer, InformerHandler } from '#client/mod.ts';
import type { Pod, ReplicaSet } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';
import { isDeleting, isPodReady } from '../pods/pod-state.ts';
import type { ReplicaFlavour } from './replica-flavour.ts';

/** Turns changes of pods into observed expectations and sets to look at. */
export function createPodHandler(options: {
  sets: Informer<ReplicaSet>;
  flavour: ReplicaFlavour;
  expectations: Expectations;
  enqueue: (key: string) => void;
  enqueueAfter: (key: string, delayMs: number) => void;
}): InformerHandler<Pod> {
  const { sets, flavour, expectations, enqueue, enqueueAfter } = options;

  /** The set that controls the pod, if it is one of ours and not another of the same name. */
  const ownerOf = (pod: Pod): ReplicaSet | undefined => {
    const reference = controllerOf(pod);
    if (reference?.kind !== flavour.kind) return undefined;
    const set = sets.get(`${pod.metadata.namespace}/${reference.name}`);
    return set?.metadata.uid === reference.uid ? set : undefined;
  };
  const enqueueMatching = (pod: Pod): void => {
    for (const set of sets.listNamespace(pod.metadata.namespace ?? '')) {
      if (flavour.selectorOf(set).matches(pod.metadata.labels)) enqueue(objectKey(set));
    }
  };
  const observeDeletion = (pod: Pod): void => {
    const set = ownerOf(pod);
    if (set === undefined) return;
    expectations.deletionObserved(objectKey(set), pod.metadata.uid ?? '');
    enqueue(objectKey(set));
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
    const set = ownerOf(pod);
    if (set === undefined) return;
    expectations.creationObserved(objectKey(set));
    enqueue(objectKey(set));
  };
  const onUpdate = (old: Pod, pod: Pod): void => {
    if (isDeleting(pod)) {
      observeDeletion(pod);
      return;
    }
    const hasOtherOwner = controllerOf(old)?.uid !== controllerOf(pod)?.uid;
    const former = hasOtherOwner ? ownerOf(old) : undefined;
    if (former !== undefined) enqueue(objectKey(former));
    const set = ownerOf(pod);
    if (set !== undefined) {
      enqueue(objectKey(set));
      const minReadySeconds = set.spec?.minReadySeconds ?? 0;
      if (minReadySeconds > 0 && isPodReady(pod) && !isPodReady(old)) {
        // One more second: times in conditions are cut to seconds.
        enqueueAfter(objectKey(set), (minReadySeconds + 1) * 1000);
      }
      return;
    }
    const isRelabeled = !isSameJson(old.metadata.labels, pod.metadata.labels);
    if (controllerOf(pod) === undefined && (isRelabeled || hasOtherOwner)) enqueueMatching(pod);
  };
  return { onAdd, onUpdate, onDelete: observeDeletion };
}
