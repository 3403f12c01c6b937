import { messageOf } from '#base/errors.ts';

const apiGroup = 'abac.authorization.kubernetes.io';
const allAuthenticated = 'system:authenticated';

/** One line of --authorization-policy-file. Empty fields match nothing, `*` everything. */
export interface AbacPolicy {
  readonly user: string;
  readonly group: string;
  readonly isReadonly: boolean;
  readonly apiGroup: string;
  readonly resource: string;
  readonly namespace: string;
  readonly nonResourcePath: string;
}

/**
 * Reads --authorization-policy-file: an object in each line, of version v1beta1 or, without a
 * version, of v0. Throws an Error that names the line.
 */
export function parsePolicyFile(path: string, text: string): AbacPolicy[] {
  const policies: AbacPolicy[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    try {
      policies.push(readPolicy(JSON.parse(trimmed)));
    } catch (error) {
      throw new Error(
        `error reading policy file ${path}, line ${index + 1}: ${line}: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
  return policies;
}

function readPolicy(value: unknown): AbacPolicy {
  const object = fieldsOf(value, 'policy');
  const { apiVersion = '', kind = '' } = object;
  if (apiVersion === '' || kind === '') return fromVersion0(object);
  if (
    kind !== 'Policy' ||
    (apiVersion !== `${apiGroup}/v1beta1` && apiVersion !== `${apiGroup}/v0`)
  ) {
    throw new Error(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
  }
  return apiVersion === `${apiGroup}/v0` ? fromVersion0(object) : fromVersion1(object);
}

function fromVersion1(object: Record<string, unknown>): AbacPolicy {
  const spec = fieldsOf(object['spec'] ?? {}, 'spec');
  return {
    ...subjectOf(spec),
    isReadonly: flag(spec, 'readonly'),
    apiGroup: text(spec, 'apiGroup'),
    resource: text(spec, 'resource'),
    namespace: text(spec, 'namespace'),
    nonResourcePath: text(spec, 'nonResourcePath'),
  };
}

/** What is left out matches everything; paths that are no resources only if nothing was named. */
function fromVersion0(object: Record<string, unknown>): AbacPolicy {
  const subject = subjectOf(object);
  const resource = text(object, 'resource');
  const namespace = text(object, 'namespace');
  const isEverybody = subject.user === '' && subject.group === '';
  return {
    user: subject.user,
    group: isEverybody ? allAuthenticated : subject.group,
    isReadonly: flag(object, 'readonly'),
    apiGroup: '*',
    resource: resource === '' ? '*' : resource,
    namespace: namespace === '' ? '*' : namespace,
    nonResourcePath: resource === '' && namespace === '' ? '*' : '',
  };
}

/** A `*` stands for everybody who is known: anonymous users are not meant. */
function subjectOf(of: Record<string, unknown>): { user: string; group: string } {
  const user = text(of, 'user');
  const group = text(of, 'group');
  return user === '*' || group === '*' ? { user: '', group: allAuthenticated } : { user, group };
}

function fieldsOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Error(`${name} is not an object`);
}

function text(of: Record<string, unknown>, field: string): string {
  const value = of[field] ?? '';
  if (typeof value !== 'string') throw new Error(`${field} is not a string`);
  return value;
}

function flag(of: Record<string, unknown>, field: string): boolean {
  const value = of[field] ?? false;
  if (typeof value !== 'boolean') throw new Error(`${field} is not a boolean`);
  return value;
}
