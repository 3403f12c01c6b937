import { podFromTemplate } from '../pods/pod-control.ts';
import type { Affinity, DaemonSet, Pod, PodSpec, Toleration } from '#schema/types.ts';

export const revisionLabel = 'controller-revision-hash';
const generationLabel = 'pod-template-generation';
const generationAnnotation = 'deprecated.daemonset.template.generation';
const nameField = 'metadata.name';

/** Taints that a daemon bears: it serves the node also when the node is not well. */
const automaticTolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const hostNetworkToleration: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

/** The template's tolerations with those that every daemon has. */
export function daemonTolerations(spec: PodSpec | undefined): Toleration[] {
  const own = spec?.tolerations ?? [];
  const added =
    spec?.hostNetwork === true
      ? [...automaticTolerations, hostNetworkToleration]
      : automaticTolerations;
  const isSame = (a: Toleration, b: Toleration): boolean =>
    a.key === b.key &&
    a.operator === b.operator &&
    a.effect === b.effect &&
    (a.value ?? '') === (b.value ?? '') &&
    a.tolerationSeconds === b.tolerationSeconds;
  return [...own, ...added.filter((toleration) => !own.some((known) => isSame(known, toleration)))];
}

/** A pod of the set for one node, which the scheduler binds there. */
export function daemonPod(set: DaemonSet, nodeName: string, hash: string): Pod {
  const pod = podFromTemplate(set.spec?.template ?? {}, set);
  const generation = set.metadata.annotations?.[generationAnnotation];
  const labels = {
    ...pod.metadata.labels,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
    [revisionLabel]: hash,
  };
  const metadata = { ...pod.metadata, labels };
  if (pod.spec === undefined) return { ...pod, metadata };
  const spec = {
    ...pod.spec,
    affinity: toNode(pod.spec.affinity, nodeName),
    tolerations: daemonTolerations(pod.spec),
  };
  return { ...pod, metadata, spec };
}

/** Only this node will do; what the template requires of nodes was looked at already. */
function toNode(affinity: Affinity | undefined, nodeName: string): Affinity {
  const matchFields = [{ key: nameField, operator: 'In', values: [nodeName] }];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  };
}

/** The node that a pod is on or meant for; undefined for a pod that somebody else made. */
export function targetNodeOf(pod: Pod): string | undefined {
  const { nodeName, affinity } = pod.spec ?? {};
  if (nodeName !== undefined && nodeName !== '') return nodeName;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    for (const { key, operator, values = [] } of matchFields) {
      if (key === nameField && operator === 'In' && values.length === 1) return values[0];
    }
  }
  return undefined;
}

/** Made of the set's present template. */
export function isUpdated(set: DaemonSet, pod: Pod, hash: string): boolean {
  const { labels } = pod.metadata;
  const generation = set.metadata.annotations?.[generationAnnotation];
  const isSameGeneration = generation !== undefined && labels?.[generationLabel] === generation;
  return isSameGeneration || (hash !== '' && labels?.[revisionLabel] === hash);
}
