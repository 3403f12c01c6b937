import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret } from '#schema/types.ts';
import { fileValue } from './downward.ts';
import { VolumeError } from './volume-error.ts';

/** A file of a volume that the kubelet fills. */
export interface PayloadFile {
  readonly content: Buffer;
  readonly mode: number;
  /** Owner; root when absent. */
  readonly uid?: number | undefined;
}

/** Path within the volume to file; paths are relative and may have directories. */
export type Payload = ReadonlyMap<string, PayloadFile>;

interface ItemOptions {
  readonly items: readonly KeyToPath[] | undefined;
  readonly isOptional: boolean;
  readonly defaultMode: number;
}

/** Files of a config map. Throws VolumeError for a listed key that is not there. */
export function configMapPayload(configMap: ConfigMap, options: ItemOptions): Payload {
  const contents = new Map<string, Buffer>();
  for (const [key, text] of Object.entries(configMap.data ?? {})) {
    contents.set(key, Buffer.from(text));
  }
  for (const [key, base64] of Object.entries(configMap.binaryData ?? {})) {
    contents.set(key, Buffer.from(base64, 'base64'));
  }
  return selectItems(contents, options, 'config');
}

/** Files of a secret. */
export function secretPayload(secret: Secret, options: ItemOptions): Payload {
  const contents = new Map<string, Buffer>();
  for (const [key, base64] of Object.entries(secret.data ?? {})) {
    contents.set(key, Buffer.from(base64, 'base64'));
  }
  return selectItems(contents, options, 'secret');
}

function selectItems(
  contents: ReadonlyMap<string, Buffer>,
  { items, isOptional, defaultMode }: ItemOptions,
  kind: 'config' | 'secret',
): Payload {
  const payload = new Map<string, PayloadFile>();
  if (items === undefined || items.length === 0) {
    for (const [key, content] of contents) payload.set(key, { content, mode: defaultMode });
    return payload;
  }
  for (const { key, path, mode } of items) {
    const content = contents.get(key);
    if (content !== undefined) payload.set(path, { content, mode: mode ?? defaultMode });
    else if (!isOptional) throw new VolumeError(`references non-existent ${kind} key: ${key}`);
  }
  return payload;
}

/** Files of the downward API. */
export function downwardPayload(options: {
  pod: Pod;
  items: readonly DownwardAPIVolumeFile[];
  defaultMode: number;
  /** Node allocatable, for limits that are not set. */
  allocatable: Readonly<Record<string, string>>;
}): Payload {
  const { pod, items, defaultMode, allocatable } = options;
  const payload = new Map<string, PayloadFile>();
  for (const item of items) {
    const content = Buffer.from(fileValue(item, pod, allocatable));
    payload.set(item.path, { content, mode: item.mode ?? defaultMode });
  }
  return payload;
}

/** Several payloads as one; a path that comes twice is the last one's, as upstream. */
export function mergePayloads(payloads: readonly Payload[]): Payload {
  return new Map(payloads.flatMap((payload) => [...payload]));
}
