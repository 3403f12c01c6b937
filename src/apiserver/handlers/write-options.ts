import type { FieldError } from '#schema/mod.ts';
import { badRequest, invalid } from '../api-errors.ts';
import type { RequestContext } from '../request.ts';
import { readBoolean } from './list-options.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Options of create, update and patch. */
export interface WriteOptions {
  dryRun: boolean;
  /** As given; see managerOf for what an empty one becomes. */
  fieldManager: string;
  fieldValidation: FieldValidation;
  /** Undefined when not said. */
  force: boolean | undefined;
}

const longestManager = 128;
const unprintable = /[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/u;

type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

/**
 * Reads and checks the query; `kind` is the options kind that errors name. All that is wrong is
 * told at once; `earlier` comes first.
 */
export function readWriteOptions(
  context: RequestContext,
  kind: OptionsKind,
  earlier: (options: WriteOptions) => readonly FieldError[] = () => [],
): WriteOptions {
  const { query } = context;
  const dryRun = query.getAll('dryRun');
  const fieldValidation = query.get('fieldValidation') ?? '';
  const force = query.get('force');
  const options: WriteOptions = {
    dryRun: dryRun.length > 0,
    fieldManager: query.get('fieldManager') ?? '',
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
    force: force === null ? undefined : readBoolean(force),
  };
  const errors = [
    ...earlier(options),
    ...managerErrors(options.fieldManager, 'fieldManager'),
    ...dryRunErrors(dryRun),
    ...fieldValidationErrors(fieldValidation),
  ];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return query.size === 0 ? defaultWriteOptions : options;
}

/** What only patches are asked: a manager for an apply, no force for anything else. */
export function patchOptionsErrors(
  { fieldManager, force }: Pick<WriteOptions, 'fieldManager' | 'force'>,
  isApply: boolean,
): FieldError[] {
  if (isApply && fieldManager === '') {
    const message = 'Required value: is required for apply patch';
    return [{ type: 'FieldValueRequired', field: 'fieldManager', message }];
  }
  if (isApply || force === undefined) return [];
  const message = 'Forbidden: may not be specified for non-apply patch';
  return [{ type: 'FieldValueForbidden', field: 'force', message }];
}

export const defaultWriteOptions: WriteOptions = {
  dryRun: false,
  fieldManager: '',
  fieldValidation: 'Warn',
  force: undefined,
};

/** What upstream finds wrong with the name of a manager, one error a character. */
function managerErrors(fieldManager: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(fieldManager) > longestManager) {
    const message = `Too long: may not be more than ${longestManager} bytes`;
    errors.push({ type: 'FieldValueTooLong', field, message });
  }
  let position = 0;
  for (const character of fieldManager) {
    if (unprintable.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      const detail = `invalid character U+${code} (at position ${position})`;
      const message = `Invalid value: ${JSON.stringify(fieldManager)}: ${detail}`;
      errors.push({ type: 'FieldValueInvalid', field, message });
    }
    position += Buffer.byteLength(character);
  }
  return errors;
}

/** A dryRun that is given must be `All`; upstream shows the whole list. */
export function dryRunErrors(values: readonly string[]): FieldError[] {
  if (values.every((value) => value === 'All')) return [];
  const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
  return [{ type: 'FieldValueNotSupported', field: 'dryRun', message }];
}

/** True for `All`; throws Invalid for anything else. */
export function readDryRun(values: readonly string[], kind: string): boolean {
  const errors = dryRunErrors(values);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return values.length > 0;
}

function fieldValidationErrors(value: string): FieldError[] {
  if (['', 'Strict', 'Warn', 'Ignore'].includes(value)) return [];
  const supported = '"", "Ignore", "Strict", "Warn"';
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`;
  return [{ type: 'FieldValueNotSupported', field: 'fieldValidation', message }];
}

/** The manager that owns the fields of a write: named, or the start of the user agent. */
export function managerOf(options: { fieldManager: string }, userAgent: string): string {
  if (options.fieldManager !== '') return options.fieldManager;
  const given = userAgent.split('/', 1)[0] ?? '';
  if (given.length <= longestManager && /^[ -~]*$/.test(given)) return given;
  let name = '';
  for (const character of given) {
    if (unprintable.test(character)) continue;
    if (Buffer.byteLength(name + character) > longestManager) break;
    name += character;
  }
  return name;
}

/** Throws BadRequest unless the names of URL and object agree; an absent one takes the other's. */
export function checkName(objectName: string | undefined, urlName: string): void {
  if (urlName === '' || objectName === undefined || objectName === '' || objectName === urlName)
    return;
  throw badRequest(
    `the name of the object (${objectName}) does not match the name on the URL (${urlName})`,
  );
}

/** As checkName, for writes of what exists: the object has to say its name. */
export function checkGivenName(objectName: string | undefined, urlName: string): void {
  if (objectName === undefined || objectName === '') {
    throw badRequest(
      `the name of the object (${urlName} based on URL) was undeterminable: name must be provided`,
    );
  }
  checkName(objectName, urlName);
}

/** Throws BadRequest unless the object lies in the namespace of the request. */
export function checkNamespace(objectNamespace: string | undefined, urlNamespace: string): void {
  if (objectNamespace === undefined || objectNamespace === '' || objectNamespace === urlNamespace) {
    return;
  }
  throw badRequest(
    `the namespace of the provided object does not match the namespace sent on the request`,
  );
}
