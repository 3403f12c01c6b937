import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Pod, Volume, VolumeProjection } from '#schema/types.ts';
import type { ObjectReader } from '../containers/environment.ts';
import { containersOf, namespaceOf, specOf } from '../pods/names.ts';
import {
  configMapPayload,
  downwardPayload,
  mergePayloads,
  secretPayload,
  type Payload,
} from './payload.ts';
import type { TokenSource } from './tokens.ts';
import { VolumeError } from './volume-error.ts';

export interface ContentOptions {
  pod: Pod;
  objects: ObjectReader;
  tokens: TokenSource;
  /** Node allocatable, for downward API limits that are not set. */
  allocatable: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

const defaultFileMode = 0o644;

/** Whether the kubelet writes the files of this volume itself. */
export function hasContent(volume: Volume): boolean {
  return (
    volume.configMap !== undefined ||
    volume.secret !== undefined ||
    volume.downwardAPI !== undefined ||
    volume.projected !== undefined
  );
}

/** The files that a volume is to have now. Throws VolumeError with upstream's text. */
export async function volumeContent(volume: Volume, options: ContentOptions): Promise<Payload> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) {
    return await configMapFiles(configMap, configMap.defaultMode ?? defaultFileMode, options);
  }
  if (secret !== undefined) {
    const { secretName = '', defaultMode = defaultFileMode } = secret;
    return await secretFiles({ ...secret, name: secretName }, defaultMode, options);
  }
  if (downwardAPI !== undefined) {
    return downwardPayload({
      ...options,
      items: downwardAPI.items ?? [],
      defaultMode: downwardAPI.defaultMode ?? defaultFileMode,
    });
  }
  const defaultMode = projected?.defaultMode ?? defaultFileMode;
  const payloads: Payload[] = [];
  const failures: unknown[] = [];
  for (const source of projected?.sources ?? []) {
    await projectionFiles(source, defaultMode, options).then(
      (payload) => payloads.push(payload),
      (error: unknown) => failures.push(error),
    );
  }
  if (failures.length > 0) throw together(failures);
  return mergePayloads(payloads);
}

/** Several failures are told at once, each text once, as upstream. */
function together(failures: readonly unknown[]): unknown {
  const texts = new Set(failures.map(messageOf));
  const [first] = failures;
  return texts.size === 1 ? first : new VolumeError(`[${[...texts].join(', ')}]`, { cause: first });
}

async function projectionFiles(
  source: VolumeProjection,
  defaultMode: number,
  options: ContentOptions,
): Promise<Payload> {
  if (source.configMap !== undefined) {
    return await configMapFiles(source.configMap, defaultMode, options);
  }
  if (source.secret !== undefined) return await secretFiles(source.secret, defaultMode, options);
  if (source.downwardAPI !== undefined) {
    return downwardPayload({ ...options, items: source.downwardAPI.items ?? [], defaultMode });
  }
  if (source.serviceAccountToken !== undefined) {
    return await tokenFile(source.serviceAccountToken, defaultMode, options);
  }
  const kind = Object.keys(source)[0] ?? 'empty';
  throw new VolumeError(`projected volume source ${kind} is not supported by k3ts`);
}

type Reference = NonNullable<VolumeProjection['configMap']>;

async function configMapFiles(
  { name = '', items, optional = false }: Reference,
  defaultMode: number,
  { pod, objects }: ContentOptions,
): Promise<Payload> {
  const found = await orAbsent('configmap', name, optional, () =>
    objects.configMap(namespaceOf(pod), name),
  );
  if (found === undefined) return new Map();
  return configMapPayload(found, { items, isOptional: optional, defaultMode });
}

async function secretFiles(
  { name = '', items, optional = false }: Reference,
  defaultMode: number,
  { pod, objects }: ContentOptions,
): Promise<Payload> {
  const found = await orAbsent('secret', name, optional, () =>
    objects.secret(namespaceOf(pod), name),
  );
  if (found === undefined) return new Map();
  return secretPayload(found, { items, isOptional: optional, defaultMode });
}

/** Undefined for a missing object that may be missing. */
async function orAbsent<T>(
  kind: string,
  name: string,
  isOptional: boolean,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    if (isOptional) return undefined;
    throw new VolumeError(`${kind} "${name}" not found`, { cause: error });
  }
}

async function tokenFile(
  source: NonNullable<VolumeProjection['serviceAccountToken']>,
  defaultMode: number,
  { pod, tokens, signal }: ContentOptions,
): Promise<Payload> {
  const { audience = '', expirationSeconds, path } = source;
  const token = await tokens.token(pod, { audience, expirationSeconds }, signal);
  const uid = commonUser(pod);
  const isOwned = uid !== undefined || fsGroupOf(pod) !== undefined;
  return new Map([
    [path, { content: Buffer.from(token), mode: isOwned ? 0o600 : defaultMode, uid }],
  ]);
}

/** The user that all containers of the pod run as, when they name one and it is the same. */
export function commonUser(pod: Pod): number | undefined {
  const fallback = specOf(pod).securityContext?.runAsUser;
  const users = new Set(
    containersOf(pod).map(({ container }) => container.securityContext?.runAsUser ?? fallback),
  );
  return users.size === 1 ? [...users][0] : undefined;
}

export function fsGroupOf(pod: Pod): number | undefined {
  return specOf(pod).securityContext?.fsGroup;
}
