import type { V2CrossVersionObjectReference } from '../../generated/types.ts';
import { requireFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { pathSegmentErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';

/** What an autoscaler scales, or what a metric tells of; only the latter may have no group. */
export function checkScaleTarget(
  errors: ErrorList,
  path: FieldPath,
  { kind = '', name, apiVersion = '' }: Unchecked<V2CrossVersionObjectReference>,
  needsGroup: boolean,
): void {
  requireFormat(errors, path, 'kind', kind, pathSegmentErrors);
  requireFormat(errors, path, 'name', name, pathSegmentErrors);
  const parts = apiVersion.split('/').length;
  if (parts > 2) {
    const detail = `unexpected GroupVersion string: ${apiVersion}`;
    errors.invalid(path, 'apiVersion', apiVersion, detail);
  } else if (needsGroup && parts < 2 && kind !== 'ReplicationController') {
    errors.invalid(path, 'apiVersion', apiVersion, 'apiVersion must specify API group');
  }
}
