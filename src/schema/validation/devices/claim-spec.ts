import type {
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ResourceClaimSpec,
} from '../../generated/types.ts';
import { checkEach, checkFormat, checkMaxBytes, checkMaxItems, checkUnique } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { cIdentifierErrors, dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import { checkDeviceConfig } from './device-config.ts';
import { checkDeviceRequest } from './device-requests.ts';

const maxItems = 32;
const maxSubRequests = 8;
const maxDomainBytes = 63;
const maxNameBytes = 32;

const requestText =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
const attributeText =
  'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';

/** Requests of a claim by name, with the names of their choices. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export function requestNamesOf(spec: Unchecked<ResourceClaimSpec> | undefined): RequestNames {
  return new Map(
    (spec?.devices?.requests ?? []).map(({ name = '', firstAvailable = [] }) => [
      name,
      new Set(firstAvailable.map((choice) => choice.name ?? '')),
    ]),
  );
}

/** What a claim, or a template of claims, asks for. */
export function checkClaimSpec(
  errors: ErrorList,
  path: FieldPath,
  spec: Unchecked<ResourceClaimSpec> | undefined,
): void {
  const { requests, constraints, config } = spec?.devices ?? {};
  const at = path.child('devices');
  const names = requestNamesOf(spec);
  checkMaxItems(errors, at, 'requests', requests, maxItems);
  checkEachOnce(errors, at.child('requests'), requests, checkRequest);
  checkMaxItems(errors, at, 'constraints', constraints, maxItems);
  checkEach(errors, at.child('constraints'), constraints, (_errors, place, constraint) => {
    checkConstraint(errors, place, constraint, names);
  });
  checkMaxItems(errors, at, 'config', config, maxItems);
  checkEach(errors, at.child('config'), config, (_errors, place, item) => {
    checkClaimConfig(errors, place, item, names);
  });
}

/** Checks the items of a list of named things, and reports names that came before. */
function checkEachOnce<T extends { readonly name?: string | undefined }>(
  errors: ErrorList,
  path: FieldPath,
  list: readonly T[] | undefined,
  check: (errors: ErrorList, path: FieldPath, item: T) => void,
): void {
  const seen = new Set<string>();
  checkEach(errors, path, list, (_errors, at, item) => {
    check(errors, at, item);
    const name = item.name ?? '';
    if (seen.has(name)) errors.duplicate(at, '', name);
    seen.add(name);
  });
}

function checkRequest(
  errors: ErrorList,
  path: FieldPath,
  { name, exactly, firstAvailable }: Unchecked<DeviceRequest>,
): void {
  checkFormat(errors, path, 'name', name, dns1123LabelErrors);
  const choices = firstAvailable ?? [];
  const oneText = 'exactly one of `exactly` or `firstAvailable` is required';
  if (exactly === undefined && choices.length === 0) errors.required(path, '', oneText);
  else if (exactly !== undefined && choices.length > 0) {
    errors.invalid(path, '', null, `${oneText}, but multiple fields are set`);
  }
  checkMaxItems(errors, path, 'firstAvailable', choices, maxSubRequests);
  checkEachOnce(errors, path.child('firstAvailable'), choices, checkSubRequest);
  if (exactly !== undefined) checkDeviceRequest(errors, path.child('exactly'), exactly);
}

function checkSubRequest(
  errors: ErrorList,
  path: FieldPath,
  request: Unchecked<DeviceSubRequest>,
): void {
  checkFormat(errors, path, 'name', request.name, dns1123LabelErrors);
  checkDeviceRequest(errors, path, request);
}

function checkConstraint(
  errors: ErrorList,
  path: FieldPath,
  { requests, matchAttribute, distinctAttribute }: Unchecked<DeviceConstraint>,
  names: RequestNames,
): void {
  checkRequestNames(errors, path, requests, names);
  if (matchAttribute !== undefined) {
    checkQualifiedName(errors, path, 'matchAttribute', matchAttribute);
  }
  if (distinctAttribute !== undefined) {
    checkQualifiedName(errors, path, 'distinctAttribute', distinctAttribute);
  }
  // upstream says the same whether both are set or none
  if ((matchAttribute === undefined) === (distinctAttribute === undefined)) {
    errors.required(path, '', attributeText);
  }
}

function checkClaimConfig(
  errors: ErrorList,
  path: FieldPath,
  { requests, opaque }: Unchecked<DeviceClaimConfiguration>,
  names: RequestNames,
): void {
  checkRequestNames(errors, path, requests, names);
  checkDeviceConfig(errors, path, opaque);
}

function checkRequestNames(
  errors: ErrorList,
  path: FieldPath,
  requests: readonly string[] | undefined,
  names: RequestNames,
): void {
  checkMaxItems(errors, path, 'requests', requests, maxItems);
  const at = path.child('requests');
  requests?.forEach((request, index) => checkRequestName(errors, at, index, request, names));
  checkUnique(errors, at, requests ?? []);
}

/** `request` or `request/choice`; a request with choices may be named alone too. */
export function checkRequestName(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  text: string,
  names: RequestNames,
): void {
  const parts = text.split('/');
  if (parts.length > 2) {
    errors.invalid(path, field, text, requestText);
    return;
  }
  const before = errors.count;
  for (const part of parts) {
    for (const detail of dns1123LabelErrors(part)) errors.invalid(path, field, part, detail);
  }
  if (errors.count > before) return;
  const [request = '', choice] = parts;
  const choices = names.get(request);
  const isKnown = choice === undefined ? choices !== undefined : choices?.has(choice) === true;
  if (!isKnown) errors.invalid(path, field, text, requestText);
}

/** `domain/name` of an attribute or capacity. */
export function checkQualifiedName(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  text: string,
): void {
  if (isEmpty(text)) {
    errors.required(path, field, 'name required');
    return;
  }
  const slash = text.indexOf('/');
  if (slash < 0) {
    const detail = 'a fully qualified name must be a domain and a name separated by a slash';
    errors.invalid(path, field, text, detail);
    checkAttributeName(errors, path, field, text);
    return;
  }
  const domain = text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (domain === '') errors.required(path, field, 'the domain must not be empty');
  else {
    checkMaxBytes(errors, path, field, domain, maxDomainBytes);
    checkFormat(errors, path, field, domain, dns1123SubdomainErrors);
  }
  if (name === '') errors.required(path, field, 'the name must not be empty');
  else checkAttributeName(errors, path, field, name);
}

function checkAttributeName(errors: ErrorList, path: FieldPath, field: string, name: string): void {
  checkMaxBytes(errors, path, field, name, maxNameBytes);
  checkFormat(errors, path, field, name, cIdentifierErrors);
}
