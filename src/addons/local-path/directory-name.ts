import { K3tsError } from '#base/errors.ts';
import type { PersistentVolumeClaim, StorageClass } from '#schema/types.ts';

/**
 * The path of a volume below its node's: `<volume>_<namespace>_<claim>`, or what the class's
 * parameter `pathPattern` says. Of Go's templates only plain fields are understood.
 */
export function directoryName(
  volumeName: string,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
): string {
  const { namespace = '', name } = claim.metadata;
  const { pathPattern = '', allowUnsafePathPattern } = storageClass.parameters ?? {};
  if (pathPattern === '') return `${volumeName}_${namespace}_${name}`;
  const path = pathPattern.replaceAll(/\{\{\s*(.*?)\s*\}\}/g, (_match, field: string) =>
    fieldValue(field, volumeName, claim),
  );
  if (path.split('/').includes('..')) fail(`invalid path "${path}": must not contain '..'`);
  const isSafe = path.startsWith(`${namespace}/`) || path.includes(`/${namespace}/`);
  if (!isSafe && allowUnsafePathPattern !== 'true') {
    fail(`pathPattern "${pathPattern}" must have a directory of the namespace`);
  }
  return path;
}

function fieldValue(field: string, volumeName: string, { metadata }: PersistentVolumeClaim) {
  if (field === '.PVName') return volumeName;
  if (field === '.PVC.Name' || field === '.PVC.name') return metadata.name;
  if (field === '.PVC.Namespace' || field === '.PVC.namespace') return metadata.namespace ?? '';
  const [, map = '', key = ''] = /^\.PVC\.([Aa]nnotations|[Ll]abels)\.([\w-]+)$/.exec(field) ?? [];
  if (map.toLowerCase() === 'annotations') return metadata.annotations?.[key] ?? '';
  if (map.toLowerCase() === 'labels') return metadata.labels?.[key] ?? '';
  return fail(`pathPattern: "${field}" is not supported by k3ts`);
}

function fail(text: string): never {
  throw new K3tsError('LocalPathPattern', text);
}
