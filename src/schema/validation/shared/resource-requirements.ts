import type { ResourceClaim, ResourceRequirements } from '../../generated/types.ts';
import { checkOptionalFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkHugePagesAmount, checkResourceAmount, compareQuantities } from './quantities.ts';
import type { ResourceNameCheck } from './resource-names.ts';
import { isHugePages, mayOvercommit } from './resource-names.ts';

/** Requests and limits of a container, or of a pod as a whole. */
export function checkResourceRequirements(
  errors: ErrorList,
  path: FieldPath,
  resources: Unchecked<ResourceRequirements>,
  checkName: ResourceNameCheck,
  claimNames: readonly string[],
): void {
  const { limits, requests, claims } = resources;
  if (limits !== undefined) checkAmounts(errors, path.child('limits'), limits, checkName);
  if (requests !== undefined) checkRequests(errors, path, resources, checkName);
  checkHugePagesAlone(errors, path, resources);
  if (claims !== undefined) checkClaims(errors, path.child('claims'), claims, claimNames);
}

function checkAmounts(
  errors: ErrorList,
  path: FieldPath,
  amounts: Readonly<Record<string, string | undefined>>,
  checkName: ResourceNameCheck,
): void {
  for (const name in amounts) {
    const at = path.key(name);
    const amount = amounts[name] ?? '0';
    checkName(errors, at, '', name);
    checkResourceAmount(errors, at, '', name, amount);
    if (isHugePages(name)) checkHugePagesAmount(errors, at, name, amount);
  }
}

function checkRequests(
  errors: ErrorList,
  path: FieldPath,
  { limits, requests }: Unchecked<ResourceRequirements>,
  checkName: ResourceNameCheck,
): void {
  const requestsPath = path.child('requests');
  for (const name in requests) {
    const at = requestsPath.key(name);
    const amount = requests[name] ?? '0';
    const limit = limits?.[name];
    checkName(errors, at, '', name);
    checkResourceAmount(errors, at, '', name, amount);
    if (limit === undefined) {
      if (!mayOvercommit(name)) {
        errors.required(path, 'limits', 'Limit must be set for non overcommitable resources');
      }
    } else if (amount !== limit) checkAgainstLimit(errors, requestsPath, name, amount, limit);
    if (isHugePages(name)) checkHugePagesAmount(errors, at, name, amount);
  }
}

function checkAgainstLimit(
  errors: ErrorList,
  path: FieldPath,
  name: string,
  amount: string,
  limit: string,
): void {
  const order = compareQuantities(amount, limit);
  if (order !== 0 && !mayOvercommit(name)) {
    errors.invalid(path, '', amount, `must be equal to ${name} limit of ${limit}`);
  } else if (order > 0) {
    errors.invalid(path, '', amount, `must be less than or equal to ${name} limit of ${limit}`);
  }
}

function checkHugePagesAlone(
  errors: ErrorList,
  path: FieldPath,
  { limits, requests }: Unchecked<ResourceRequirements>,
): void {
  let hasHugePages = false;
  for (const list of [limits, requests]) {
    for (const name in list) {
      if (name === 'cpu' || name === 'memory') return;
      if (isHugePages(name)) hasHugePages = true;
    }
  }
  if (hasHugePages) errors.forbidden(path, '', 'HugePages require cpu or memory');
}

function checkClaims(
  errors: ErrorList,
  path: FieldPath,
  claims: ReadonlyArray<Unchecked<ResourceClaim>>,
  claimNames: readonly string[],
): void {
  const seen = new Set<string>();
  claims.forEach(({ name = '', request = '' }, index) => {
    const text = request === '' ? name : `${name}/${request}`;
    if (name === '') errors.required(path, index);
    else if (seen.has(name) || seen.has(text)) errors.duplicate(path, index, text);
    seen.add(text);
    checkOptionalFormat(errors, path.at(index), 'request', request, dns1123LabelErrors);
    if (name === '' || errors.isFull || claimNames.includes(name)) return;
    const known = claimNames.length === 0 ? ' which is empty' : `: ${claimNames.join(', ')}`;
    const detail = `must be one of the names in pod.spec.resourceClaims${known}`;
    errors.notFound(path, index, name, detail);
  });
}
