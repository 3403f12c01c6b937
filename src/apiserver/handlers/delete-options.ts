import { badRequest, invalid } from '../api-errors.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import { readBoolean } from './list-options.ts';
import { readDryRun } from './write-options.ts';

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
  const options = body === undefined ? fromQuery(query) : fromBody(body);
  checkDeleteOptions(options);
  return options;
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

interface DeleteOptionsBody {
  gracePeriodSeconds?: unknown;
  propagationPolicy?: unknown;
  orphanDependents?: unknown;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: unknown;
}

function fromBody(body: UnknownObject): DeleteOptions {
  if (body.kind !== undefined && body.kind !== '' && body.kind !== 'DeleteOptions') {
    throw badRequest(`decoded object cannot be converted to DeleteOptions`);
  }
  const fields = body as DeleteOptionsBody;
  const { gracePeriodSeconds: grace, orphanDependents: orphan } = fields;
  if (grace !== undefined && grace !== null && typeof grace !== 'number') {
    throw badRequest(
      'json: cannot unmarshal into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
    );
  }
  const dryRun = Array.isArray(fields.dryRun) ? fields.dryRun.map(String) : [];
  return {
    gracePeriodSeconds: typeof grace === 'number' ? grace : undefined,
    propagationPolicy: (fields.propagationPolicy ?? undefined) as PropagationPolicy | undefined,
    orphanDependents: typeof orphan === 'boolean' ? orphan : undefined,
    preconditions: fields.preconditions ?? {},
    dryRun: readDryRun(dryRun, 'DeleteOptions'),
  };
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds');
  const orphan = query.get('orphanDependents');
  const policy = query.get('propagationPolicy');
  if (grace !== null && !/^-?\d+$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  }
  return {
    gracePeriodSeconds: grace === null ? undefined : Number(grace),
    propagationPolicy: policy === null || policy === '' ? undefined : (policy as PropagationPolicy),
    orphanDependents: orphan === null ? undefined : readBoolean(orphan),
    preconditions: {},
    dryRun: readDryRun(query.getAll('dryRun'), 'DeleteOptions'),
  };
}

function checkDeleteOptions(options: DeleteOptions): void {
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
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
}
