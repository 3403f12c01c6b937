import { templateOfRevision } from '../history/mod.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import type { ControllerRevision, Pod, StatefulSet, Volume } from '#schema/types.ts';
import { claimName } from './claims.ts';
import type { SetRevisions } from './set-revisions.ts';
import {
  ordinalOf,
  partitionOf,
  podIndexLabel,
  podNameLabel,
  revisionLabel,
  startOrdinal,
} from './set-facts.ts';

/** The pod of an ordinal that is not there yet, at the revision that it has to have. */
export function plannedPod(set: StatefulSet, revisions: SetRevisions, ordinal: number): Pod {
  const revision = keepsCurrent(set, ordinal) ? revisions.current : revisions.update;
  return podOfRevision(set, revision, ordinal);
}

function keepsCurrent(set: StatefulSet, ordinal: number): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type !== 'RollingUpdate') return false;
  const kept = rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : partitionOf(set);
  return ordinal < startOrdinal(set) + kept;
}

function podOfRevision(set: StatefulSet, revision: ControllerRevision, ordinal: number): Pod {
  const pod = podFromTemplate(templateOfRevision(revision), set);
  const name = `${set.metadata.name}-${ordinal}`;
  const { generateName: _generated, ...metadata } = pod.metadata;
  const serviceName = set.spec?.serviceName ?? '';
  const labels = {
    ...metadata.labels,
    ...identityLabels(name, ordinal),
    [revisionLabel]: revision.metadata.name,
  };
  if (pod.spec === undefined) return { ...pod, metadata: { ...metadata, name, labels } };
  const spec = {
    ...pod.spec,
    hostname: name,
    ...(serviceName === '' ? {} : { subdomain: serviceName }),
    ...volumesOf(set, ordinal, pod.spec.volumes),
  };
  return { ...pod, metadata: { ...metadata, name, labels }, spec };
}

function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [podNameLabel]: name, [podIndexLabel]: String(ordinal) };
}

/** Volumes of claims take the place of the template's volumes of the same name. */
function volumesOf(
  set: StatefulSet,
  ordinal: number,
  volumes: readonly Volume[] = [],
): { volumes?: Volume[] } {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  const claimed = templates.map(({ metadata }) => ({
    name: metadata.name,
    persistentVolumeClaim: { claimName: claimName(set, metadata.name, ordinal) },
  }));
  const names = new Set(claimed.map(({ name }) => name));
  const all = [...claimed, ...volumes.filter(({ name }) => !names.has(name))];
  return all.length === 0 ? {} : { volumes: all };
}

/** The pod with the labels of its identity, or undefined when it has them. */
export function withIdentity(pod: Pod): Pod | undefined {
  const wanted = identityLabels(pod.metadata.name, ordinalOf(pod));
  const { labels } = pod.metadata;
  if (Object.entries(wanted).every(([key, value]) => labels?.[key] === value)) return undefined;
  return { ...pod, metadata: { ...pod.metadata, labels: { ...labels, ...wanted } } };
}
