import type { NodeAffinity, Pod, PodSpec, Toleration } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkRange } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { annotationsPath, specPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import { appArmorPrefix, mirrorAnnotation } from './pod-annotations.ts';
import { describeChange } from './spec-change.ts';

type Spec = Unchecked<PodSpec>;

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const fieldsText =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What an update of a pod must leave as it is, which is nearly everything. */
export function checkPodUpdate(errors: ErrorList, pod: Unchecked<Pod>, old: Unchecked<Pod>): void {
  checkFixedAnnotations(errors, pod, old);
  const spec = pod.spec ?? {};
  const oldSpec = old.spec ?? {};
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list]?.length ?? 0) === (oldSpec[list]?.length ?? 0)) continue;
    errors.forbidden(specPath, list, 'pod updates may not add or remove containers');
    return;
  }
  checkDeadline(errors, spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds);
  checkTolerations(errors, spec.tolerations ?? [], oldSpec.tolerations ?? []);
  checkGatesRemoved(errors, spec, oldSpec);
  const isGated = !isEmpty(oldSpec.schedulingGates);
  const wanted = withAllowedChanges(spec, oldSpec, isGated);
  if (isGated) checkNarrowed(errors, spec, oldSpec);
  if (jsonEqual(spec, wanted)) return;
  errors.forbidden(specPath, '', `${fieldsText}\n${describeChange(spec, wanted)}`);
}

function checkFixedAnnotations(errors: ErrorList, pod: Unchecked<Pod>, old: Unchecked<Pod>): void {
  const now = pod.metadata?.annotations;
  const before = old.metadata?.annotations;
  const isFixed = (key: string): boolean =>
    key === mirrorAnnotation || key.startsWith(appArmorPrefix);
  const say = (key: string, verb: string): void => {
    const what = key === mirrorAnnotation ? 'mirror pod annotation' : 'AppArmor annotations';
    errors.forbidden(annotationsPath.key(key), '', `may not ${verb} ${what}`);
  };
  for (const key in before) {
    if (isFixed(key) && now?.[key] !== before[key]) say(key, 'remove or update');
  }
  for (const key in now) if (isFixed(key) && before?.[key] === undefined) say(key, 'add');
}

function checkDeadline(
  errors: ErrorList,
  seconds: number | undefined,
  old: number | undefined,
): void {
  const field = 'activeDeadlineSeconds';
  if (seconds === undefined) {
    if (old === undefined) return;
    const detail = 'must not update from a positive integer to nil value';
    errors.invalid(specPath, field, null, detail);
    return;
  }
  const before = errors.count;
  checkRange(errors, specPath, field, seconds, 0, 2147483647);
  if (errors.count > before || old === undefined || seconds <= old) return;
  errors.invalid(specPath, field, seconds, 'must be less than or equal to previous value');
}

function checkTolerations(
  errors: ErrorList,
  now: ReadonlyArray<Unchecked<Toleration>>,
  old: ReadonlyArray<Unchecked<Toleration>>,
): void {
  const bare = ({ key, operator, value, effect }: Unchecked<Toleration>): string =>
    JSON.stringify([key ?? '', operator ?? '', value ?? '', effect ?? '']);
  const kept = new Set(now.map(bare));
  if (old.every((toleration) => kept.has(bare(toleration)))) return;
  const detail = 'existing toleration can not be modified except its tolerationSeconds';
  errors.forbidden(specPath, 'tolerations', detail);
}

function checkGatesRemoved(errors: ErrorList, spec: Spec, oldSpec: Spec): void {
  const known = new Set(oldSpec.schedulingGates?.map(({ name }) => name));
  (spec.schedulingGates ?? []).forEach(({ name = '' }, index) => {
    if (known.has(name)) return;
    const path = specPath.child('schedulingGates').at(index);
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.forbidden(path, 'name', detail);
  });
}

/** While a pod is gated, where it may go can be narrowed. */
function checkNarrowed(errors: ErrorList, spec: Spec, oldSpec: Spec): void {
  const now = spec.nodeSelector;
  const before = oldSpec.nodeSelector;
  for (const key in before) {
    if (now?.[key] === before[key]) continue;
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.invalid(specPath, 'nodeSelector', now ?? null, detail);
    break;
  }
  checkNarrowedAffinity(
    errors,
    specPath.child(`affinity.nodeAffinity.${required}.nodeSelectorTerms`),
    spec.affinity?.nodeAffinity,
    oldSpec.affinity?.nodeAffinity,
  );
}

function checkNarrowedAffinity(
  errors: ErrorList,
  path: FieldPath,
  affinity: Unchecked<NodeAffinity> | undefined,
  oldAffinity: Unchecked<NodeAffinity> | undefined,
): void {
  const old = oldAffinity?.[required]?.nodeSelectorTerms ?? [];
  const now = affinity?.[required]?.nodeSelectorTerms ?? [];
  if (old.length === 0) return;
  if (old.length !== now.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    errors.invalid(path, '', now, detail);
    return;
  }
  now.forEach((term, index) => {
    const stored = old[index] ?? {};
    const isExtended = (['matchExpressions', 'matchFields'] as const).every((field) => {
      const list = stored[field] ?? [];
      return list.every((item, place) => jsonEqual(item, term[field]?.[place]));
    });
    if (isExtended) return;
    errors.invalid(path, index, term, 'only additions are allowed (no mutations or deletions)');
  });
}

/** The stored spec with those changes of the new one that are allowed. */
function withAllowedChanges(spec: Spec, oldSpec: Spec, isGated: boolean): Spec {
  const images = <T extends { readonly image?: string | undefined }>(
    now: readonly T[] | undefined,
    old: readonly T[] | undefined,
  ): readonly T[] | undefined =>
    old?.map((container, index) => ({ ...container, image: now?.[index]?.image }));
  const changed: { -readonly [K in keyof Spec]: Spec[K] } = {
    ...oldSpec,
    containers: images(spec.containers, oldSpec.containers),
    initContainers: images(spec.initContainers, oldSpec.initContainers),
    activeDeadlineSeconds: spec.activeDeadlineSeconds,
    tolerations: spec.tolerations,
    schedulingGates: spec.schedulingGates,
  };
  const isShortened =
    (oldSpec.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  if (isShortened) changed.terminationGracePeriodSeconds = 1;
  if (isGated) {
    changed.nodeSelector = spec.nodeSelector;
    changed.affinity = withNodeAffinity(spec, oldSpec);
  }
  return changed;
}

function withNodeAffinity(spec: Spec, oldSpec: Spec): Spec['affinity'] {
  const wanted = spec.affinity?.nodeAffinity?.[required];
  const old = oldSpec.affinity;
  if (spec.affinity === undefined && old === undefined) return undefined;
  if (old?.nodeAffinity === undefined && spec.affinity?.nodeAffinity === undefined) return old;
  return { ...old, nodeAffinity: { ...old?.nodeAffinity, [required]: wanted } };
}
