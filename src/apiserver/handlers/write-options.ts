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

/** Reads and checks the query; `kind` is the options kind that errors name. */
export function readWriteOptions(
  context: RequestContext,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): WriteOptions {
  const { query } = context;
  if (query.size === 0) return defaultWriteOptions;
  const fieldManager = query.get('fieldManager') ?? '';
  checkManager(fieldManager, kind);
  const force = query.get('force');
  return {
    dryRun: readDryRun(query.getAll('dryRun'), kind),
    fieldManager,
    fieldValidation: readFieldValidation(query.get('fieldValidation'), kind),
    force: force === null ? undefined : readBoolean(force),
  };
}

export const defaultWriteOptions: WriteOptions = {
  dryRun: false,
  fieldManager: '',
  fieldValidation: 'Warn',
  force: undefined,
};

function checkManager(fieldManager: string, kind: string): void {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(fieldManager) > longestManager) {
    const message = `Too long: may not be more than ${longestManager} bytes`;
    errors.push({ type: 'FieldValueTooLong', field: 'fieldManager', message });
  }
  if (/[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(fieldManager)) {
    const message = `Invalid value: ${JSON.stringify(fieldManager)}: should only contain printable characters`;
    errors.push({ type: 'FieldValueInvalid', field: 'fieldManager', message });
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
}

/** True for `All`; throws Invalid for anything else that is not empty. */
export function readDryRun(values: readonly string[], kind: string): boolean {
  const given = values.filter((value) => value !== '');
  const wrong = given.filter((value) => value !== 'All');
  if (wrong.length > 0) {
    throw invalid({ group: 'meta.k8s.io', kind }, '', [
      {
        type: 'FieldValueNotSupported',
        field: 'dryRun',
        message: `Unsupported value: ${JSON.stringify(wrong[0])}: supported values: "All"`,
      },
    ]);
  }
  return given.length > 0;
}

function readFieldValidation(value: string | null, kind: string): FieldValidation {
  if (value === null || value === '') return 'Warn';
  if (value === 'Strict' || value === 'Warn' || value === 'Ignore') return value;
  throw invalid({ group: 'meta.k8s.io', kind }, '', [
    {
      type: 'FieldValueNotSupported',
      field: 'fieldValidation',
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: "", "Ignore", "Strict", "Warn"`,
    },
  ]);
}

/** The manager that owns the fields of a write: named, or the start of the user agent. */
export function managerOf(options: { fieldManager: string }, userAgent: string): string {
  if (options.fieldManager !== '') return options.fieldManager;
  const name = userAgent.split('/', 1)[0] ?? '';
  return name.slice(0, longestManager);
}

/** Throws BadRequest unless the names of URL and object agree; an absent one takes the other's. */
export function checkName(objectName: string | undefined, urlName: string): void {
  if (urlName === '' || objectName === undefined || objectName === '' || objectName === urlName)
    return;
  throw badRequest(
    `the name of the object (${objectName}) does not match the name on the URL (${urlName})`,
  );
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
