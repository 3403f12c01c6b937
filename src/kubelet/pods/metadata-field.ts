import type { Pod } from '#schema/types.ts';
import { namespaceOf, uidOf } from './names.ts';

const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/;

/**
 * The metadata that a downward API `fieldPath` of variables and of files alike may name: name,
 * namespace, uid, one label or one annotation (empty when the pod has none). Undefined for others.
 */
export function metadataField(pod: Pod, fieldPath: string): string | undefined {
  const match = subscript.exec(fieldPath);
  if (match !== null) {
    return pod.metadata[match[1] as 'labels' | 'annotations']?.[match[2] ?? ''] ?? '';
  }
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return namespaceOf(pod);
    case 'metadata.uid':
      return uidOf(pod);
    default:
      return undefined;
  }
}
