import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkMaxItems, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath } from '../field-path.ts';
import { dns1035LabelErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkSchema, checkStatusRoot, hasSchemaDefaults } from './definition-schema.ts';
import { isSchema } from './json-schema.ts';
import type { Schema } from './json-schema.ts';

type Spec = Unchecked<CustomResourceDefinitionSpec>;
type Version = Unchecked<CustomResourceDefinitionVersion>;
type Part = 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields';

const maxWarningCharacters = 256;
const maxSelectableFields = 8;
const selectableTypes = ['string', 'boolean', 'integer'];
const columnTypes = 'boolean,date,integer,number,string';
const columnFormats = 'byte,date,date-time,double,float,int32,int64,password';

/**
 * The versions of a definition. Parts that are the same in all of them are reported at the place
 * that upstream's internal form keeps them at, once.
 */
export function checkVersions(errors: ErrorList, spec: Spec, old: Spec | undefined): void {
  const versions = spec.versions ?? [];
  const path = specPath.child('versions');
  const hasDefaults = versions.some((one) => hasSchemaDefaults(one.schema?.openAPIV3Schema));
  if (spec.preserveUnknownFields === true && hasDefaults) {
    const detail = 'must be false in order to use defaults in the schema';
    errors.invalid(specPath, 'preserveUnknownFields', true, detail);
  }
  versions.forEach((version, index) => checkVersion(errors, path.at(index), version, old));
  checkParts(errors, versions, old);
  const names = versions.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    errors.invalid(path, '', versions, 'must contain unique version names');
  }
  if (versions.filter(({ storage }) => storage === true).length !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    errors.invalid(path, '', versions, detail);
  }
}

function checkVersion(
  errors: ErrorList,
  path: FieldPath,
  version: Version,
  old: Spec | undefined,
): void {
  if (version.schema?.openAPIV3Schema === undefined) {
    const before = old?.versions?.find(({ name }) => name === version.name);
    const lacked = before !== undefined && before.schema?.openAPIV3Schema === undefined;
    if (!lacked) errors.required(path, 'schema.openAPIV3Schema');
  }
  const messages = dns1035LabelErrors(version.name ?? '');
  if (messages.length > 0) errors.invalid(path, 'name', version.name ?? '', messages.join(','));
  const { deprecationWarning: warning } = version;
  if (warning === undefined) return;
  const say = (detail: string): void => errors.invalid(path, 'deprecationWarning', warning, detail);
  if (version.deprecated !== true) say('can only be set for deprecated versions');
  if (warning.length > maxWarningCharacters) {
    say(`must be <= ${maxWarningCharacters} characters long`);
  }
  if (warning === '') say('must not be an empty string');
  const control = warning.search(/\p{Cc}/u);
  const hidden = warning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (hidden < 0) return;
  const isControl = control === hidden;
  const index = Buffer.byteLength(warning.slice(0, hidden));
  const what = isControl ? 'control' : 'non-printable';
  say(`must only contain printable UTF-8 characters; ${what} character found at index ${index}`);
}

/** A selector compares one scalar of an object, found without looking into lists. */
function checkSelectable(
  errors: ErrorList,
  path: FieldPath,
  jsonPath: string,
  schema: unknown,
): void {
  const { found, why } = followPath(jsonPath, schema);
  if (why !== '') {
    errors.invalid(path, 'jsonPath', jsonPath, `is an invalid path: ${why}`);
    return;
  }
  if (/^\.metadata(\.|$)/.test(jsonPath)) {
    errors.invalid(path, 'jsonPath', jsonPath, 'must not point to fields in metadata');
  }
  if (selectableTypes.includes(String(found?.['type'] ?? ''))) return;
  const detail =
    'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
  errors.invalid(path, 'jsonPath', jsonPath, detail);
}

function followPath(jsonPath: string, schema: unknown): { found?: Schema; why: string } {
  let at = isSchema(schema) ? schema : {};
  let rest = jsonPath;
  while (rest !== '') {
    if (rest.startsWith('[')) return { why: 'array notation is not allowed' };
    const name = /^\.([^.[\]]+)/.exec(rest)?.[1];
    if (!rest.startsWith('.')) {
      return { why: `expected [ or . but got: ${/^[^.[\]]*/.exec(rest)?.[0] ?? ''}` };
    }
    if (name === undefined) return { why: 'unexpected end of JSON path' };
    const { properties, additionalProperties } = at as Record<string, unknown>;
    const next = isSchema(properties) ? properties[name] : additionalProperties;
    if (!isSchema(next)) return { why: 'does not refer to a valid field' };
    at = next;
    rest = rest.slice(name.length + 1);
  }
  return { found: at, why: '' };
}

function isShared(versions: readonly Version[], part: Part): boolean {
  return versions.every((version) => jsonEqual(version[part], versions[0]?.[part]));
}

function checkParts(errors: ErrorList, versions: readonly Version[], old: Spec | undefined): void {
  const each = (
    part: Part,
    sharedPath: FieldPath,
    check: (path: FieldPath, version: Version) => void,
  ): void => {
    if (versions.length === 0) return;
    if (isShared(versions, part)) check(sharedPath, versions[0] ?? {});
    else {
      versions.forEach((version, index) => {
        check(specPath.child('versions').at(index).child(part), version);
      });
    }
  };
  each('schema', specPath.child('validation'), (path, version) => {
    const schema = version.schema?.openAPIV3Schema;
    const before = old?.versions?.find(({ name }) => name === version.name);
    if (schema === undefined || jsonEqual(schema, before?.schema?.openAPIV3Schema)) return;
    const at = path.child('openAPIV3Schema');
    if (version.subresources?.status !== undefined) checkStatusRoot(errors, at, schema);
    checkSchema(errors, at, schema);
  });
  each('subresources', specPath.child('subresources'), (path, version) => {
    if (version.subresources?.scale !== undefined) {
      checkScale(errors, path.child('scale'), version.subresources.scale);
    }
  });
  const columns = 'additionalPrinterColumns';
  each(columns, specPath.child(columns), (path, version) => {
    (version.additionalPrinterColumns ?? []).forEach((column, index) => {
      checkColumn(errors, path.at(index), column);
    });
  });
  each('selectableFields', specPath.child('selectableFields'), (path, version) => {
    const fields = version.selectableFields ?? [];
    const seen = new Set<string>();
    fields.forEach(({ jsonPath = '' }, index) => {
      const at = path.at(index);
      if (requireText(errors, at, 'jsonPath', jsonPath)) {
        checkSelectable(errors, at, jsonPath, version.schema?.openAPIV3Schema);
      }
      if (seen.has(jsonPath)) errors.duplicate(at, 'jsonPath', jsonPath);
      seen.add(jsonPath);
    });
    checkMaxItems(errors, path, '', fields, maxSelectableFields);
  });
}

function checkScale(
  errors: ErrorList,
  path: FieldPath,
  scale: NonNullable<Unchecked<CustomResourceSubresources>['scale']>,
): void {
  const { specReplicasPath = '', statusReplicasPath = '', labelSelectorPath = '' } = scale;
  const check = (field: string, value: string, parents: readonly string[], where: string): void => {
    if (!value.startsWith('.')) {
      errors.invalid(path, field, value, 'must be a simple json path starting with .');
    } else if (!parents.some((parent) => value.startsWith(parent))) {
      errors.invalid(path, field, value, `should be a json path under ${where}`);
    }
  };
  if (requireText(errors, path, 'specReplicasPath', specReplicasPath)) {
    check('specReplicasPath', specReplicasPath, ['.spec.'], '.spec');
  }
  if (requireText(errors, path, 'statusReplicasPath', statusReplicasPath)) {
    check('statusReplicasPath', statusReplicasPath, ['.status.'], '.status');
  }
  if (labelSelectorPath === '') return;
  const parents = ['.spec.', '.status.'];
  check('labelSelectorPath', labelSelectorPath, parents, 'either .spec or .status');
}

function checkColumn(
  errors: ErrorList,
  path: FieldPath,
  { name, type = '', format = '', jsonPath = '' }: Unchecked<CustomResourceColumnDefinition>,
): void {
  requireText(errors, path, 'name', name);
  const typeText = `must be one of ${columnTypes}`;
  if (type === '') errors.required(path, 'type', typeText);
  else if (!columnTypes.split(',').includes(type)) errors.invalid(path, 'type', type, typeText);
  if (format !== '' && !columnFormats.split(',').includes(format)) {
    errors.invalid(path, 'format', format, `must be one of ${columnFormats}`);
  }
  if (jsonPath === '') errors.required(path, 'JSONPath');
  else if (!jsonPath.startsWith('.')) {
    errors.invalid(path, 'JSONPath', jsonPath, 'must be a simple json path starting with .');
  }
}
