import type { DownwardAPIVolumeFile, Pod } from '#schema/types.ts';
import { resourceFieldValue } from '../containers/environment.ts';
import { metadataField } from '../pods/metadata-field.ts';
import { findContainer } from '../pods/names.ts';
import { VolumeError } from './volume-error.ts';

/** The text of a downward API file. Only facts of the object are allowed, no status. */
export function fileValue(
  item: DownwardAPIVolumeFile,
  pod: Pod,
  allocatable: Readonly<Record<string, string>>,
): string {
  if (item.resourceFieldRef !== undefined) {
    const name = item.resourceFieldRef.containerName ?? '';
    const found = findContainer(pod, name);
    if (found === undefined) throw new VolumeError(`container ${name} not found`);
    const { container } = found;
    return resourceFieldValue(item.resourceFieldRef, { pod, container, allocatable });
  }
  const path = item.fieldRef?.fieldPath ?? '';
  const { metadata } = pod;
  switch (path) {
    case 'metadata.labels':
      return formatMap(metadata.labels ?? {});
    case 'metadata.annotations':
      return formatMap(metadata.annotations ?? {});
    default:
      return metadataField(pod, path) ?? unsupported(path);
  }
}

function unsupported(path: string): never {
  throw new VolumeError(`unsupported fieldPath: ${path}`);
}

/** One `key="value"` a line, sorted by key, without a newline at the end. */
export function formatMap(values: Readonly<Record<string, string>>): string {
  return Object.keys(values)
    .sort()
    .map((key) => `${key}=${quote(values[key] ?? '')}`)
    .join('\n');
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A string literal of Go: what is not printable is escaped. */
export function quote(text: string): string {
  let result = '"';
  for (const character of text) {
    const escape = escapes[character];
    const point = character.codePointAt(0) ?? 0;
    if (escape !== undefined) result += escape;
    else if (point < 0x20 || point === 0x7f) result += `\\x${hex(point, 2)}`;
    else if (character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) {
      result += character;
    } else result += point > 0xffff ? `\\U${hex(point, 8)}` : `\\u${hex(point, 4)}`;
  }
  return `${result}"`;
}

function hex(point: number, width: number): string {
  return point.toString(16).padStart(width, '0');
}
