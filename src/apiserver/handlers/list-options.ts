import type { FieldError, ResourceInfo } from '#schema/mod.ts';
import { parseFieldSelector, parseLabelSelector } from '#schema/selectors/mod.ts';
import { badRequest, invalid, plainError } from '../api-errors.ts';
import { Selection } from '../cache/mod.ts';
import type { ServedResource } from '../resource-registry.ts';

/** Options of list and watch, as the query carries them; empty strings for absent ones. */
export interface ListOptions {
  labelSelector: string;
  fieldSelector: string;
  limit: number;
  continueToken: string;
  resourceVersion: string;
  resourceVersionMatch: string;
  allowWatchBookmarks: boolean;
  /** Undefined when not asked for. */
  sendInitialEvents: boolean | undefined;
  timeoutSeconds: number | undefined;
}

export const defaultListOptions: ListOptions = {
  labelSelector: '',
  fieldSelector: '',
  limit: 0,
  continueToken: '',
  resourceVersion: '',
  resourceVersionMatch: '',
  allowWatchBookmarks: false,
  sendInitialEvents: undefined,
  timeoutSeconds: undefined,
};

export function readListOptions(query: URLSearchParams): ListOptions {
  if (query.size === 0) return defaultListOptions;
  const text = (name: string): string => query.get(name) ?? '';
  const initial = query.get('sendInitialEvents');
  return {
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    limit: readInteger(query, 'limit') ?? 0,
    continueToken: text('continue'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    allowWatchBookmarks: readBoolean(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : readBoolean(initial),
    timeoutSeconds: readInteger(query, 'timeoutSeconds'),
  };
}

/** Go's reading of a boolean parameter: everything but these is true. */
export function readBoolean(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** Go's reading of an integer parameter: what is there must be a number that fits. */
export function readInteger(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const problem = integerProblem(value);
  if (problem !== undefined) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: ${problem}`);
  }
  return Number(value);
}

const longestInteger = 2n ** 63n;

function integerProblem(value: string): string | undefined {
  if (!/^[+-]?\d+$/.test(value)) return 'invalid syntax';
  const number = BigInt(value.replace(/^\+/, ''));
  return number >= longestInteger || number < -longestInteger ? 'value out of range' : undefined;
}

/**
 * A resourceVersion parameter as a number; undefined for the empty string. Upstream tells what is
 * none differently: a list as BadRequest, reads and watches from the cache as a bare 500.
 */
export function readRevision(
  resourceVersion: string,
  verb: 'get' | 'list' | 'watch',
): number | undefined {
  if (resourceVersion === '') return undefined;
  const revision = Number(resourceVersion);
  if (/^\d+$/.test(resourceVersion) && Number.isSafeInteger(revision)) return revision;
  const quoted = JSON.stringify(resourceVersion);
  const text = `resourceVersion: Invalid value: ${quoted}: ${unsignedProblem(resourceVersion)}`;
  throw verb === 'list' ? badRequest(`invalid resource version: ${text}`) : plainError(text);
}

/** What Go says of text that is no unsigned number of 64 bits. */
export function unsignedProblem(text: string): string {
  const problem = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
  return `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${problem}`;
}

/** Upstream's checks of combinations; throws Invalid (ListOptions.meta.k8s.io). */
export function checkListOptions(options: ListOptions, isWatch: boolean): void {
  const { resourceVersion, resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  const forbid = (field: string, detail: string): void => {
    errors.push({ type: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` });
  };
  const unsupported = (supported: string): void => {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'resourceVersionMatch',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported}`,
    });
  };
  if (isWatch) {
    if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
      const detail = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
      forbid('resourceVersionMatch', detail);
    }
    if (match !== '' && sendInitialEvents === undefined) {
      const detail =
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
      forbid('resourceVersionMatch', detail);
    }
    if (match !== '' && match !== 'NotOlderThan') unsupported('"NotOlderThan"');
    if (match !== '' && options.continueToken !== '') {
      forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
    }
  } else {
    if (match !== '' && resourceVersion === '') {
      const detail = 'resourceVersionMatch is forbidden unless resourceVersion is provided';
      forbid('resourceVersionMatch', detail);
    }
    if (match !== '' && options.continueToken !== '') {
      forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
    }
    if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
      unsupported('"Exact", "NotOlderThan", ""');
    }
    if (match === 'Exact' && resourceVersion === '0') {
      const detail = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
      forbid('resourceVersionMatch', detail);
    }
    if (sendInitialEvents !== undefined) {
      forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list');
    }
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}

/** The selection that namespace, name and selectors of a request describe. */
export function selectionOf(
  { info, custom }: Pick<ServedResource, 'info' | 'custom'>,
  options: { labelSelector: string; fieldSelector: string },
  namespace: string,
  name = '',
): Selection {
  const { labelSelector, fieldSelector } = options;
  if (labelSelector === '' && fieldSelector === '') return new Selection({ namespace, name });
  const labels = labelSelector === '' ? undefined : parseLabelSelector(labelSelector);
  if (fieldSelector === '') return new Selection({ namespace, name, labels });
  const fields = parseFieldSelector(withNewNames(info, fieldSelector));
  // the general rule of built-in kinds knows the field for those without namespaces as well
  const takesNamespace =
    info.namespaced || (info.typeName !== '' && info.selectableFields.length === 0);
  const exactFields: Record<string, string> = {};
  let isNameOnly = true;
  for (const { key, operator, values } of fields.requirements) {
    const isMeta = key === 'metadata.name' || (key === 'metadata.namespace' && takesNamespace);
    if (!isMeta && !info.selectableFields.includes(key)) {
      throw badRequest(unsupportedField(info, key));
    }
    if (operator !== '=' || key !== 'metadata.name' || key in exactFields) isNameOnly = false;
    if (operator === '=') exactFields[key] = values[0] ?? '';
  }
  const exactName = exactFields['metadata.name'] ?? '';
  if (name !== '' && exactName !== '' && exactName !== name) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  }
  return new Selection({
    namespace:
      namespace === '' && info.namespaced ? (exactFields['metadata.namespace'] ?? '') : namespace,
    name: name === '' ? exactName : name,
    labels,
    fields: isNameOnly ? undefined : fields,
    exactFields,
    fieldsOf: custom === undefined ? undefined : (entry) => custom.fieldsOf(entry),
  });
}

/** Pods were once selected by spec.host, and still can be. */
function withNewNames({ group, kind }: ResourceInfo, fieldSelector: string): string {
  if (kind !== 'Pod' || group !== '') return fieldSelector;
  return fieldSelector.replace(/(^|,)spec\.host(?=[=!])/g, '$1spec.nodeName');
}

/** Kinds without fields of their own have upstream's general text, Job one that names it. */
function unsupportedField(info: ResourceInfo, key: string): string {
  if (info.selectableFields.length === 0 && info.typeName !== '') {
    return `${JSON.stringify(key)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
  }
  if (info.kind === 'Job') return `field label ${JSON.stringify(key)} not supported for Job`;
  if (info.kind === 'ResourceSlice') {
    return `field label not supported for ${info.group}/${info.version}, Kind=${info.kind}: ${key}`;
  }
  return `field label not supported: ${key}`;
}
