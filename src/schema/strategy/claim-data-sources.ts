import type { PersistentVolumeClaim, TypedLocalObjectReference } from '../generated/types.ts';

type Spec = NonNullable<PersistentVolumeClaim['spec']>;

/**
 * Brings dataSource and dataSourceRef of a claim together as upstream at each write: a reference to
 * another namespace is dropped (its feature is off), so is a dataSource that is neither a claim nor
 * a snapshot, and what is left out of the two says the same as the other.
 */
export function linkDataSources(spec: Spec | undefined, old: Spec | undefined): void {
  if (spec === undefined) return;
  if (isCrossing(spec) && old?.dataSourceRef === undefined) delete spec.dataSourceRef;
  const isNew = old?.dataSource === undefined && spec.dataSourceRef === undefined;
  if (isNew && !isClaimOrSnapshot(spec.dataSource)) delete spec.dataSource;
  const { dataSource, dataSourceRef } = spec;
  if (isCrossing(spec)) return;
  if (dataSource !== undefined && dataSourceRef === undefined) {
    spec.dataSourceRef = { ...dataSource };
  } else if (dataSource === undefined && dataSourceRef !== undefined) {
    const { namespace: _namespace, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}

function isCrossing({ dataSourceRef }: Spec): boolean {
  return (dataSourceRef?.namespace ?? '') !== '';
}

function isClaimOrSnapshot(source: TypedLocalObjectReference | undefined): boolean {
  const { kind, apiGroup = '' } = source ?? {};
  if (kind === 'PersistentVolumeClaim') return apiGroup === '';
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}
