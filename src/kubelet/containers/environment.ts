import { hasReason } from '#base/api-status-error.ts';
import { parseQuantity, milliValue, quantityValue } from '#base/quantity.ts';
import type {
  ConfigMap,
  EnvFromSource,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  Pod,
  ResourceFieldSelector,
  Secret,
  Service,
} from '#schema/types.ts';
import { metadataField } from '../pods/metadata-field.ts';
import { findContainer, namespaceOf, specOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import type { MountedVolumes } from '../volume-host.ts';
import { ContainerConfigError } from './config-error.ts';
import { envFileValue, readEnvFile } from './env-file.ts';
import { expandVariables } from './expand.ts';
import { servicesFor, serviceVariables } from './service-env.ts';

/** Reads objects that pods refer to; NotFound is thrown as the API's own error. */
export interface ObjectReader {
  configMap(namespace: string, name: string): Promise<ConfigMap>;
  secret(namespace: string, name: string): Promise<Secret>;
}

export interface EnvironmentOptions {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly services: readonly Service[];
  readonly objects: ObjectReader;
  /** Node allocatable, for limits that are not set. */
  readonly allocatable: Readonly<Record<string, string>>;
  /** Where variables from files are read; absent: there are no volumes. */
  readonly mounted?: MountedVolumes | undefined;
}

/**
 * The variables of a container in upstream's order: envFrom, env, then service variables for names
 * that are still free. Throws ContainerConfigError for what cannot be resolved.
 */
export async function containerEnvironment(
  options: EnvironmentOptions,
): Promise<Map<string, string>> {
  const { pod, container } = options;
  const namespace = namespaceOf(pod);
  const isLinked = specOf(pod).enableServiceLinks ?? true;
  const links = serviceVariables(servicesFor({ services: options.services, namespace, isLinked }));
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [key, value] of await envFromValues(source, namespace, options.objects)) {
      result.set(`${source.prefix ?? ''}${key}`, value);
    }
  }
  const lookup = (name: string): string | undefined => result.get(name) ?? links.get(name);
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined || value !== undefined) {
      result.set(name, expandVariables(value ?? '', lookup));
      continue;
    }
    const resolved = await valueOf(valueFrom, options);
    if (resolved !== undefined) result.set(name, resolved);
  }
  for (const [name, value] of links) if (!result.has(name)) result.set(name, value);
  return result;
}

/** Printable ASCII without an equals sign, as the relaxed rule of 1.36. */
const envNamePattern = /^[ -<>-~]+$/;

async function envFromValues(
  source: EnvFromSource,
  namespace: string,
  objects: ObjectReader,
): Promise<[string, string][]> {
  const { configMapRef, secretRef } = source;
  const isName = ([key]: [string, string]): boolean => envNamePattern.test(key);
  if (configMapRef !== undefined) {
    const { name = '', optional = false } = configMapRef;
    const found = await found404('configmap', name, optional, () =>
      objects.configMap(namespace, name),
    );
    return Object.entries(found?.data ?? {}).filter(isName);
  }
  if (secretRef === undefined) return [];
  const { name = '', optional = false } = secretRef;
  const found = await found404('secret', name, optional, () => objects.secret(namespace, name));
  return Object.entries(found?.data ?? {})
    .map(([key, value]): [string, string] => [key, decodeBase64(value)])
    .filter(isName);
}

function decodeBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** Undefined for a missing object that may be missing. */
async function found404<T>(
  kind: 'configmap' | 'secret',
  name: string,
  isOptional: boolean,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    if (isOptional) return undefined;
    throw new ContainerConfigError(`${kind} "${name}" not found`, { cause: error });
  }
}

async function valueOf(
  source: EnvVarSource,
  options: EnvironmentOptions,
): Promise<string | undefined> {
  const { pod, objects } = options;
  const namespace = namespaceOf(pod);
  if (source.fieldRef !== undefined) return fieldValue(source.fieldRef, options);
  if (source.resourceFieldRef !== undefined) {
    return resourceFieldValue(source.resourceFieldRef, options);
  }
  if (source.configMapKeyRef !== undefined) {
    const { name = '', key, optional = false } = source.configMapKeyRef;
    const map = await found404('configmap', name, optional, () =>
      objects.configMap(namespace, name),
    );
    const value = map?.data?.[key];
    if (value === undefined && !optional) {
      throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    }
    return value;
  }
  if (source.secretKeyRef !== undefined) {
    const { name = '', key, optional = false } = source.secretKeyRef;
    const secret = await found404('secret', name, optional, () => objects.secret(namespace, name));
    const value = secret?.data?.[key];
    if (value === undefined && !optional) {
      throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    }
    return value === undefined ? undefined : decodeBase64(value);
  }
  if (source.fileKeyRef !== undefined) return await fileValue(source.fileKeyRef, options.mounted);
  return undefined;
}

/** The file's own contents stay out of the text, which anybody may read. */
async function fileValue(
  { volumeName, path, key, optional = false }: FileKeySelector,
  mounted: MountedVolumes | undefined,
): Promise<string | undefined> {
  const volume = mounted?.get(volumeName);
  if (volume === undefined) {
    throw new ContainerConfigError(
      `cannot find the volume "${volumeName}" referenced by FileKeyRef`,
    );
  }
  let value: string;
  try {
    value = envFileValue(await readEnvFile(volume.hostPath, path), key);
  } catch (error) {
    throw new ContainerConfigError("couldn't parse env file", { cause: error });
  }
  if (value !== '') return value;
  if (optional) return undefined;
  throw new ContainerConfigError(`environment variable key "${key}" not found in file "${path}"`);
}

function fieldValue(ref: ObjectFieldSelector, options: EnvironmentOptions): string {
  const { pod, podIps, hostIps } = options;
  const metadata = metadataField(pod, ref.fieldPath);
  if (metadata !== undefined) return metadata;
  switch (ref.fieldPath) {
    case 'spec.nodeName':
      return specOf(pod).nodeName ?? '';
    case 'spec.serviceAccountName':
      return specOf(pod).serviceAccountName ?? '';
    case 'status.hostIP':
      return hostIps[0] ?? '';
    case 'status.hostIPs':
      return hostIps.join(',');
    case 'status.podIP':
      return podIps[0] ?? '';
    case 'status.podIPs':
      return podIps.join(',');
    default:
      throw new ContainerConfigError(`unsupported fieldPath: ${ref.fieldPath}`);
  }
}

/** Requests or limits of a container, divided and rounded up; unset limits are the node's. */
export function resourceFieldValue(
  ref: ResourceFieldSelector,
  options: Pick<EnvironmentOptions, 'pod' | 'container' | 'allocatable'>,
): string {
  const { pod, allocatable } = options;
  const [kind = '', resource = ''] = ref.resource.split(/\.(.*)/);
  const name = ref.containerName ?? '';
  const container = name === '' ? options.container : findContainer(pod, name)?.container;
  if (container === undefined) throw new ContainerConfigError(`container ${name} not found`);
  const own = container.resources?.[kind as 'limits' | 'requests']?.[resource];
  const text = own ?? (kind === 'limits' ? (allocatable[resource] ?? '0') : '0');
  const divisorText = ref.divisor === undefined || ref.divisor === '0' ? '1' : ref.divisor;
  const divisor = parseQuantity(divisorText);
  const amount = parseQuantity(text);
  const value =
    resource === 'cpu'
      ? milliValue(amount) / milliValue(divisor)
      : quantityValue(amount) / quantityValue(divisor);
  return String(Math.ceil(value));
}
