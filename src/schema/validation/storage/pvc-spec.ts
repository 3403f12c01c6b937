import type {
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkFormat, checkOneOf, checkOptionalFormat, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import { isNotPositive } from '../shared/quantities.ts';
import type { Unchecked } from '../unchecked.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes: readonly string[] = ['Block', 'Filesystem'];

export function checkPvcSpec(
  errors: ErrorList,
  path: FieldPath,
  spec: Unchecked<PersistentVolumeClaimSpec>,
): void {
  checkAccessModes(errors, path, spec.accessModes, 'at least 1 access mode is required', () => {
    if (spec.selector !== undefined) {
      checkLabelSelector(errors, path.child('selector'), spec.selector);
    }
  });
  const storage = spec.resources?.requests?.['storage'];
  const storagePath = path.child('resources').key('storage');
  if (storage === undefined) errors.required(storagePath, '');
  else if (isNotPositive(storage)) {
    errors.invalid(storagePath, '', storage, 'must be greater than zero');
  }
  const { storageClassName, volumeAttributesClassName } = spec;
  checkOptionalFormat(errors, path, 'storageClassName', storageClassName, dns1123SubdomainErrors);
  checkOneOf(errors, path, 'volumeMode', spec.volumeMode, volumeModes);
  checkDataSources(errors, path, spec);
  checkOptionalFormat(
    errors,
    path,
    'volumeAttributesClassName',
    volumeAttributesClassName,
    dns1123SubdomainErrors,
  );
}

/** Access modes of claims and volumes; `between` runs where upstream checks the selector. */
export function checkAccessModes(
  errors: ErrorList,
  path: FieldPath,
  modes: readonly string[] | undefined,
  missingText: string,
  between: (() => void) | undefined,
): void {
  if (modes === undefined || modes.length === 0) errors.required(path, 'accessModes', missingText);
  between?.();
  for (const mode of modes ?? []) checkOneOf(errors, path, 'accessModes', mode, accessModes);
  if (modes?.includes('ReadWriteOncePod') === true && new Set(modes).size > 1) {
    const detail = 'may not use ReadWriteOncePod with other access modes';
    errors.forbidden(path, 'accessModes', detail);
  }
}

function checkDataSources(
  errors: ErrorList,
  path: FieldPath,
  { dataSource, dataSourceRef }: Unchecked<PersistentVolumeClaimSpec>,
): void {
  if (dataSource !== undefined) checkDataSource(errors, path, 'dataSource', dataSource);
  if (dataSourceRef === undefined) return;
  checkDataSource(errors, path, 'dataSourceRef', dataSourceRef);
  const { namespace = '' } = dataSourceRef;
  if (namespace !== '') {
    checkFormat(errors, path, 'dataSourceRef.namespace', namespace, dns1123LabelErrors);
    if (dataSource === undefined) return;
    const detail = 'may not be specified when dataSourceRef.namespace is specified';
    errors.invalid(path, '', {}, detail);
  } else {
    const local = { ...dataSourceRef, namespace: undefined };
    if (!jsonEqual(dataSource, local)) errors.invalid(path, '', {}, 'must match dataSourceRef');
  }
}

function checkDataSource(
  errors: ErrorList,
  specPath: FieldPath,
  field: string,
  source: Unchecked<TypedLocalObjectReference | TypedObjectReference>,
): void {
  const path = specPath.child(field);
  const { apiGroup = '', kind = '' } = source;
  requireText(errors, path, 'name', source.name);
  requireText(errors, path, 'kind', kind);
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.invalid(path, '', kind, detail);
  }
  checkOptionalFormat(errors, path, 'apiGroup', apiGroup, dns1123SubdomainErrors);
}
