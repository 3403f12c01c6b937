import type { CustomResourceDefinition } from '../generated/types.ts';

/** Notes the storage version in status.storedVersions; copies the status before changing it. */
export function storeVersion(definition: CustomResourceDefinition): void {
  const version = ((definition.spec as Partial<typeof definition.spec>).versions ?? []).find(
    (candidate) => candidate.storage,
  )?.name;
  const { status } = definition;
  const storedVersions = status?.storedVersions ?? [];
  if (version === undefined || storedVersions.includes(version)) return;
  definition.status = { ...status, storedVersions: [...storedVersions, version] };
}
