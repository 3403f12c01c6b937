import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '#schema/types.ts';
import { withMatchLabelKeys } from './match-label-keys.ts';

/** One pod affinity or anti-affinity term, compiled against the pod that has it. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  /** Namespaces by their labels, beside those by name. */
  readonly namespaceSelector: LabelSelector;
  readonly selector: LabelSelector;
  /** Equal for equal terms, of whichever pods. */
  readonly id: string;
}

export interface WeightedTerm {
  readonly term: AffinityTerm;
  readonly weight: number;
}

/** What a pod wants of the pods around it. */
export interface PodAffinity {
  readonly required: readonly AffinityTerm[];
  readonly requiredAnti: readonly AffinityTerm[];
  readonly preferred: readonly WeightedTerm[];
  readonly preferredAnti: readonly WeightedTerm[];
}

/** Undefined for pods that want nothing, which are most. */
export function compilePodAffinity(pod: Pod): PodAffinity | undefined {
  const affinity = pod.spec?.affinity;
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return undefined;
  const required = (terms: readonly PodAffinityTerm[] | undefined): AffinityTerm[] =>
    (terms ?? []).map((term) => compileTerm(pod, term));
  const preferred = (terms: readonly WeightedPodAffinityTerm[] | undefined): WeightedTerm[] =>
    (terms ?? []).map(({ weight, podAffinityTerm }) => ({
      weight,
      term: compileTerm(pod, podAffinityTerm),
    }));
  return {
    required: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAnti: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAnti: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

/** Labels of a namespace; undefined when there is no such namespace. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** Whether the term means this pod. */
export function termMatches(
  term: AffinityTerm,
  pod: Pod,
  namespaceLabels: NamespaceLabels,
): boolean {
  return (
    term.selector.matches(pod.metadata.labels) &&
    termMeansNamespace(term, pod.metadata.namespace ?? '', namespaceLabels)
  );
}

function termMeansNamespace(
  term: AffinityTerm,
  namespace: string,
  namespaceLabels: NamespaceLabels,
): boolean {
  if (term.namespaces.has(namespace)) return true;
  // an empty selector means every namespace, also one not seen yet
  if (term.namespaceSelector.isEmpty) return true;
  return term.namespaceSelector.matches(namespaceLabels(namespace) ?? {});
}

function compileTerm(pod: Pod, term: PodAffinityTerm): AffinityTerm {
  const { namespaces = [], namespaceSelector, topologyKey } = term;
  const isOwn = namespaces.length === 0 && namespaceSelector === undefined;
  const names = isOwn ? [pod.metadata.namespace ?? ''] : namespaces.toSorted();
  const selector = withMatchLabelKeys(labelSelectorFrom(term.labelSelector), pod, term);
  const byLabels = labelSelectorFrom(namespaceSelector);
  const nobody = namespaceSelector === undefined ? '' : `{${byLabels.toString()}}`;
  return {
    topologyKey,
    namespaces: new Set(names),
    namespaceSelector: byLabels,
    selector,
    id: [topologyKey, names.join(','), nobody, idOf(selector, term)].join('|'),
  };
}

function idOf(selector: LabelSelector, term: PodAffinityTerm): string {
  return term.labelSelector === undefined ? '-' : selector.toString();
}
