import type {
  Affinity,
  NodeAffinity,
  PodAffinity,
  PodAffinityTerm,
  TopologySpreadConstraint,
} from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkEachFormat, checkFormat, checkOneOf, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors } from '../formats/names.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import { checkNodeSelector, checkNodeSelectorTerm } from '../shared/node-selector.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
const bothText = 'exists in both matchLabelKeys and labelSelector';
const noSelectorText = 'must not be specified when labelSelector is not set';

export function checkAffinity(
  errors: ErrorList,
  path: FieldPath,
  { nodeAffinity, podAffinity, podAntiAffinity }: Unchecked<Affinity>,
): void {
  if (nodeAffinity !== undefined) {
    checkNodeAffinity(errors, path.child('nodeAffinity'), nodeAffinity);
  }
  if (podAffinity !== undefined) checkPodAffinity(errors, path.child('podAffinity'), podAffinity);
  if (podAntiAffinity !== undefined) {
    checkPodAffinity(errors, path.child('podAntiAffinity'), podAntiAffinity);
  }
}

function checkNodeAffinity(
  errors: ErrorList,
  path: FieldPath,
  affinity: Unchecked<NodeAffinity>,
): void {
  const selector = affinity[required];
  if (selector !== undefined) checkNodeSelector(errors, path.child(required), selector);
  (affinity[preferred] ?? []).forEach(({ weight = 0, preference = {} }, index) => {
    const at = path.child(preferred).at(index);
    checkWeight(errors, at, weight);
    checkNodeSelectorTerm(errors, at.child('preference'), preference, false);
  });
}

function checkWeight(errors: ErrorList, path: FieldPath, weight: number): void {
  if (weight >= 1 && weight <= 100) return;
  errors.invalid(path, 'weight', weight, 'must be in the range 1-100');
}

function checkPodAffinity(
  errors: ErrorList,
  path: FieldPath,
  affinity: Unchecked<PodAffinity>,
): void {
  (affinity[required] ?? []).forEach((term, index) => {
    checkPodAffinityTerm(errors, path.child(required).at(index), term);
  });
  (affinity[preferred] ?? []).forEach(({ weight = 0, podAffinityTerm = {} }, index) => {
    const at = path.child(preferred).at(index);
    checkWeight(errors, at, weight);
    checkPodAffinityTerm(errors, at.child('podAffinityTerm'), podAffinityTerm);
  });
}

function checkPodAffinityTerm(
  errors: ErrorList,
  path: FieldPath,
  term: Unchecked<PodAffinityTerm>,
): void {
  checkLabelSelector(errors, path.child('labelSelector'), term.labelSelector);
  checkLabelSelector(errors, path.child('namespaceSelector'), term.namespaceSelector);
  for (const name of term.namespaces ?? []) {
    checkFormat(errors, path, 'namespace', name, dns1123LabelErrors);
  }
  checkLabelKeys(errors, path, term);
  const { topologyKey } = term;
  requireText(errors, path, 'topologyKey', topologyKey, 'can not be empty');
  checkFormat(errors, path, 'topologyKey', topologyKey, labelKeyErrors);
}

function checkLabelKeys(
  errors: ErrorList,
  path: FieldPath,
  term: Unchecked<PodAffinityTerm>,
): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  if (labelSelector === undefined) {
    if (matchLabelKeys.length > 0) errors.forbidden(path, 'matchLabelKeys', noSelectorText);
    if (mismatchLabelKeys.length > 0) errors.forbidden(path, 'mismatchLabelKeys', noSelectorText);
  }
  if (matchLabelKeys.length > 0) {
    checkEachFormat(errors, path.child('matchLabelKeys'), matchLabelKeys, labelKeyErrors);
  }
  if (mismatchLabelKeys.length > 0) {
    checkEachFormat(errors, path.child('mismatchLabelKeys'), mismatchLabelKeys, labelKeyErrors);
  }
  checkRepeatedKeys(errors, path, matchLabelKeys, labelSelector);
  const detail = 'exists in both matchLabelKeys and mismatchLabelKeys';
  const mismatched = new Set(mismatchLabelKeys);
  matchLabelKeys.forEach((key, index) => {
    if (!mismatched.has(key)) return;
    errors.invalid(path.child('matchLabelKeys'), index, key, detail);
  });
}

/**
 * The server adds the pod's own values of matchLabelKeys to the selector; so only a key that the
 * selector has twice was there before.
 */
function checkRepeatedKeys(
  errors: ErrorList,
  path: FieldPath,
  keys: readonly string[],
  selector: Unchecked<PodAffinityTerm>['labelSelector'],
): void {
  if (keys.length === 0) return;
  const places = new Map(keys.map((key, index) => [key, index]));
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key = '' } of selector?.matchExpressions ?? []) {
    const place = places.get(key);
    if (seen.has(key) && place !== undefined) errors.invalid(path, place, key, bothText);
    seen.add(key);
  }
}

const spreadActions = ['DoNotSchedule', 'ScheduleAnyway'];
const inclusionPolicies = ['Honor', 'Ignore'];

export function checkSpreadConstraints(
  errors: ErrorList,
  path: FieldPath,
  constraints: ReadonlyArray<Unchecked<TopologySpreadConstraint>>,
): void {
  const lastOf = new Map(constraints.map((constraint, index) => [pairOf(constraint), index]));
  constraints.forEach((constraint, index) => {
    const at = path.at(index);
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '' } = constraint;
    if (maxSkew <= 0) errors.invalid(at, 'maxSkew', maxSkew, 'must be greater than zero');
    requireText(errors, at, 'topologyKey', topologyKey, 'can not be empty');
    checkOneOf(errors, at, 'whenUnsatisfiable', whenUnsatisfiable, spreadActions);
    const pair = pairOf(constraint);
    if ((lastOf.get(pair) ?? index) > index) {
      errors.duplicate(at, '{topologyKey, whenUnsatisfiable}', pair);
    }
    checkMinDomains(errors, at, constraint);
    checkOneOf(errors, at, 'nodeAffinityPolicy', constraint.nodeAffinityPolicy, inclusionPolicies);
    checkOneOf(errors, at, 'nodeTaintsPolicy', constraint.nodeTaintsPolicy, inclusionPolicies);
    const { matchLabelKeys = [], labelSelector } = constraint;
    if (matchLabelKeys.length > 0 && labelSelector === undefined) {
      errors.forbidden(at, 'matchLabelKeys', noSelectorText);
    }
    if (!isEmpty(matchLabelKeys)) {
      checkEachFormat(errors, at.child('matchLabelKeys'), matchLabelKeys, labelKeyErrors);
    }
    checkRepeatedKeys(errors, at, matchLabelKeys, labelSelector);
    checkLabelSelector(errors, at.child('labelSelector'), labelSelector);
  });
}

function pairOf({
  topologyKey = '',
  whenUnsatisfiable = '',
}: Unchecked<TopologySpreadConstraint>): string {
  return `{${topologyKey}, ${whenUnsatisfiable}}`;
}

function checkMinDomains(
  errors: ErrorList,
  path: FieldPath,
  { minDomains, whenUnsatisfiable = '' }: Unchecked<TopologySpreadConstraint>,
): void {
  if (minDomains === undefined) return;
  if (minDomains <= 0) errors.invalid(path, 'minDomains', minDomains, 'must be greater than zero');
  if (whenUnsatisfiable === 'DoNotSchedule') return;
  const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
  errors.invalid(path, 'minDomains', minDomains, detail);
}
