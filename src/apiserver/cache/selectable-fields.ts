import type { UnknownObject } from '#schema/mod.ts';

/** Values of the selectable fields beside name and namespace, by field. */
export type FieldValues = Readonly<Record<string, string>>;

export type FieldReader = (object: UnknownObject) => FieldValues;

export const noFields: FieldValues = Object.freeze({});

/** What an absent field reads as when it is no string in upstream's type. */
const absentValues: Readonly<Record<string, string>> = {
  'spec.hostNetwork': 'false',
  'spec.unschedulable': 'false',
  'status.replicas': '0',
  'status.successful': '0',
};

/** Fields whose selector name is not their path. */
const readers: Readonly<Record<string, (object: UnknownObject) => unknown>> = {
  'status.successful': (object) => valueAt(object, ['status', 'succeeded']),
  'status.podIPs': (object) => podIps(object),
  source: (object) =>
    valueAt(object, ['source', 'component']) || valueAt(object, ['reportingComponent']),
};

/**
 * Makes the function that reads a kind's selectable fields from an object in its stored form.
 * All results of one reader have the same shape.
 */
export function createFieldReader(fields: readonly string[]): FieldReader {
  const wanted = fields.filter(
    (field) => field !== 'metadata.name' && field !== 'metadata.namespace',
  );
  if (wanted.length === 0) return () => noFields;
  const columns = wanted.map((field) => {
    const path = storedPath(field).split('.');
    const special = readers[field];
    return {
      field,
      absent: absentValues[field] ?? '',
      read: special ?? ((object: UnknownObject) => valueAt(object, path)),
    };
  });
  return (object) => {
    const values: Record<string, string> = {};
    for (const { field, absent, read } of columns) {
      const value = read(object);
      values[field] = value === undefined || value === null ? absent : String(value);
    }
    return values;
  };
}

/** events.k8s.io selects on its own names over objects stored as core events. */
function storedPath(field: string): string {
  if (field.startsWith('regarding.')) return `involvedObject.${field.slice('regarding.'.length)}`;
  if (field === 'reportingController') return 'reportingComponent';
  return field;
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function podIps(object: UnknownObject): string | undefined {
  const ips = valueAt(object, ['status', 'podIPs']);
  if (!Array.isArray(ips)) return undefined;
  return ips.map((entry: { ip?: string }) => entry.ip ?? '').join(',');
}
