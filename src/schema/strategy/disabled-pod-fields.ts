import type { Container, PodSpec, ProjectedVolumeSource } from '../generated/types.ts';

type Source = NonNullable<ProjectedVolumeSource['sources']>[number];

/** Sources of projected volumes whose features are off. */
const sourceFields = ['clusterTrustBundle', 'podCertificate'] as const;

/**
 * Takes away what belongs to features that are off, unless the stored pod uses it already. Works in
 * place: what has such a field while the stored pod has none is not shared with it.
 */
export function dropDisabledPodFields(
  spec: Partial<PodSpec> | undefined,
  old: Partial<PodSpec> | undefined,
): void {
  if (spec === undefined || spec === old) return;
  for (const field of sourceFields) {
    if (sourcesWith(old, field).length > 0) continue;
    for (const source of sourcesWith(spec, field)) delete source[field];
  }
  if (stopSignals(old).length > 0) return;
  for (const container of stopSignals(spec)) {
    const { lifecycle = {} } = container;
    delete lifecycle.stopSignal;
    if (Object.keys(lifecycle).length === 0) delete container.lifecycle;
  }
}

function sourcesWith(
  spec: Partial<PodSpec> | undefined,
  field: (typeof sourceFields)[number],
): Source[] {
  const sources = (spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  return sources.filter((source) => source[field] !== undefined);
}

function stopSignals(spec: Partial<PodSpec> | undefined): Pick<Container, 'lifecycle'>[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
  return [...initContainers, ...containers, ...ephemeralContainers].filter(
    ({ lifecycle }) => lifecycle?.stopSignal !== undefined,
  );
}
