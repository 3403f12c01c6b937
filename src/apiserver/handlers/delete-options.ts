import { badRequest, invalid } from '../api-errors.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import { readBoolean, readInteger } from './list-options.ts';
import { dryRunErrors } from './write-options.ts';

export type PropagationPolicy = 'Orphan' | 'Background' | 'Foreground';

export interface DeleteOptions {
  /** Undefined for the kind's default. */
  gracePeriodSeconds: number | undefined;
  propagationPolicy: PropagationPolicy | undefined;
  /** The older form of propagationPolicy. */
  orphanDependents: boolean | undefined;
  preconditions: { uid?: string | undefined; resourceVersion?: string | undefined };
  dryRun: boolean;
}

/** Options from the body when there is one, from the query otherwise, as upstream. */
export function readDeleteOptions(
  body: UnknownObject | undefined,
  query: URLSearchParams,
): DeleteOptions {
  const { dryRun, ...options } = body === undefined ? fromQuery(query) : fromBody(body);
  const errors = [...deleteOptionsErrors(options), ...dryRunErrors(dryRun)];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  return { ...options, dryRun: dryRun.length > 0 };
}

/** The options as the API object that admission is told of. */
export function deleteOptionsObject(options: DeleteOptions): Readonly<Record<string, unknown>> {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, dryRun } = options;
  const { uid, resourceVersion } = options.preconditions;
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return {
    kind: 'DeleteOptions',
    apiVersion: 'meta.k8s.io/v1',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
}

/** As given: nothing is checked yet. */
type GivenOptions = Omit<DeleteOptions, 'dryRun'> & { readonly dryRun: readonly string[] };

interface DeleteOptionsBody {
  gracePeriodSeconds?: unknown;
  propagationPolicy?: unknown;
  orphanDependents?: unknown;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: unknown;
}

function fromBody(body: UnknownObject): GivenOptions {
  if (body.kind !== undefined && body.kind !== '' && body.kind !== 'DeleteOptions') {
    throw badRequest('decoded object cannot be converted to DeleteOptions');
  }
  const fields = body as DeleteOptionsBody;
  const { gracePeriodSeconds: grace, orphanDependents: orphan } = fields;
  return {
    gracePeriodSeconds: typeof grace === 'number' ? grace : undefined,
    propagationPolicy: (fields.propagationPolicy ?? undefined) as PropagationPolicy | undefined,
    orphanDependents: typeof orphan === 'boolean' ? orphan : undefined,
    preconditions: fields.preconditions ?? {},
    dryRun: Array.isArray(fields.dryRun) ? fields.dryRun.map(String) : [],
  };
}

function fromQuery(query: URLSearchParams): GivenOptions {
  const orphan = query.get('orphanDependents');
  const policy = query.get('propagationPolicy');
  return {
    gracePeriodSeconds: readInteger(query, 'gracePeriodSeconds'),
    propagationPolicy: policy === null ? undefined : (policy as PropagationPolicy),
    orphanDependents: orphan === null ? undefined : readBoolean(orphan),
    preconditions: {},
    dryRun: query.getAll('dryRun'),
  };
}

function deleteOptionsErrors(options: Omit<DeleteOptions, 'dryRun'>): FieldError[] {
  const { propagationPolicy: policy, orphanDependents } = options;
  const errors: FieldError[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    errors.push({
      type: 'FieldValueInvalid',
      field: 'propagationPolicy',
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  }
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(policy)) {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'propagationPolicy',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    });
  }
  return errors;
}
