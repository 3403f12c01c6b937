import { ApiStatusError } from '#base/api-status-error.ts';
import { compareBytes } from '../selectors/requirement.ts';
import type { FieldSet } from './fields-v1.ts';
import { difference, forEachPath, inOrder, intersection, isEmptySet } from './fields-v1.ts';
import { formatPath } from './list-key.ts';
import type { Owner } from './owners.ts';
import type { SeenOwner } from './versions.ts';

/** Fields that someone else owns and that the applied object would change. */
export interface Conflict {
  readonly owner: Owner;
  readonly fields: FieldSet;
}

export function findConflicts(others: readonly SeenOwner[]): Conflict[] {
  return others.flatMap(({ owner, change: { changed } }) => {
    const fields = changed === undefined ? undefined : intersection(owner.fields, changed);
    return fields === undefined ? [] : [{ owner, fields }];
  });
}

/** What is left of conflicts when some fields may be taken. */
export function withoutAllowed(conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] {
  return conflicts.flatMap(({ owner, fields }) => {
    const rest = difference(fields, allowed, false);
    return isEmptySet(rest) ? [] : [{ owner, fields: rest }];
  });
}

/** An owner as conflicts name it: "a" with subresource "status" using apps/v1 */
function nameOwner({ manager, subresource, operation, apiVersion }: Owner): string {
  const part = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const version = operation === 'Update' ? ` using ${apiVersion}` : '';
  return `${JSON.stringify(manager)}${part}${version}`;
}

/** The Conflict (409) that upstream answers, one cause for each field. */
export function conflictError(conflicts: readonly Conflict[]): ApiStatusError {
  const byName = new Map<string, string[]>();
  const ordered = conflicts.toSorted((a, b) =>
    compareBytes(nameOwner(a.owner), nameOwner(b.owner)),
  );
  for (const { owner, fields } of ordered) {
    const name = nameOwner(owner);
    const paths = byName.get(name) ?? [];
    byName.set(name, paths);
    forEachPath(inOrder(fields), (path) => paths.push(formatPath(path)));
  }
  const causes = [...byName].flatMap(([name, paths]) =>
    paths.map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${name}`,
      field,
    })),
  );
  const [first] = causes;
  const lines = [...byName].flatMap(([name, paths]) => [
    `conflicts with ${name}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${first?.message}: ${first?.field}`
      : `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`;
  return new ApiStatusError({ httpCode: 409, reason: 'Conflict', message, details: { causes } });
}
