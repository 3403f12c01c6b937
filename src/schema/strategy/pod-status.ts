import type { Pod } from '../generated/types.ts';

/** What a write of the status that leaves it out cannot take away; copies what it changes. */
export function keepStatusFacts(pod: Pod, old: Pod): void {
  const stored = old.status ?? {};
  const status = { ...pod.status };
  if ((status.qosClass ?? '') === '' && stored.qosClass !== undefined) {
    status.qosClass = stored.qosClass;
  }
  if ((status.observedGeneration ?? 0) === 0 && stored.observedGeneration !== undefined) {
    status.observedGeneration = stored.observedGeneration;
  }
  const generations = new Map<string, (number | undefined)[]>();
  for (const { type, observedGeneration } of stored.conditions ?? []) {
    generations.set(type, [...(generations.get(type) ?? []), observedGeneration]);
  }
  status.conditions = status.conditions?.map((condition) => {
    const observedGeneration = generations.get(condition.type)?.shift();
    const isKept = observedGeneration !== undefined && (condition.observedGeneration ?? 0) === 0;
    return isKept ? { ...condition, observedGeneration } : condition;
  });
  if (status.conditions === undefined) delete status.conditions;
  pod.status = status;
}
