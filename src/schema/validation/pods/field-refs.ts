import type {
  DownwardAPIVolumeFile,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkLocalPath } from '../formats/paths.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkFileMode } from './key-paths.ts';

type Use = 'env' | 'volume';

const knownLabels = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.phase',
  'status.podIP',
  'status.podIPs',
]);
const supportedPaths: Readonly<Record<Use, readonly string[]>> = {
  volume: [
    'metadata.annotations',
    'metadata.labels',
    'metadata.name',
    'metadata.namespace',
    'metadata.uid',
  ],
  env: [
    'metadata.name',
    'metadata.namespace',
    'metadata.uid',
    'spec.nodeName',
    'spec.serviceAccountName',
    'status.hostIP',
    'status.hostIPs',
    'status.podIP',
    'status.podIPs',
  ],
};
const subscripted = /^(.*)\['(.*)'\]$/;

export function checkFieldRef(
  errors: ErrorList,
  path: FieldPath,
  ref: Unchecked<ObjectFieldSelector>,
  use: Use,
): void {
  const { apiVersion, fieldPath } = ref;
  if (!requireText(errors, path, 'apiVersion', apiVersion)) return;
  if (!requireText(errors, path, 'fieldPath', fieldPath)) return;
  const [, base, key] = subscripted.exec(fieldPath) ?? [];
  const why = conversionError(apiVersion, fieldPath, base);
  if (why !== undefined) {
    errors.invalid(path, 'fieldPath', fieldPath, `error converting fieldPath: ${why}`);
  } else if (base !== undefined && key !== undefined) {
    const text = base === 'metadata.annotations' ? key.toLowerCase() : key;
    for (const detail of labelKeyErrors(text)) errors.invalid(path, '', key, detail);
  } else {
    const converted = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
    if (supportedPaths[use].includes(converted)) return;
    errors.notSupported(path, 'fieldPath', converted, supportedPaths[use]);
  }
}

function conversionError(
  apiVersion: string,
  fieldPath: string,
  base: string | undefined,
): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  if (base === 'metadata.annotations' || base === 'metadata.labels') return undefined;
  if (base !== undefined) return `field label does not support subscript: ${fieldPath}`;
  if (knownLabels.has(fieldPath) || fieldPath === 'spec.host') return undefined;
  return `field label not supported: ${fieldPath}`;
}

const resources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const byteDivisors = [
  '1',
  '1k',
  '1M',
  '1G',
  '1T',
  '1P',
  '1E',
  '1Ki',
  '1Mi',
  '1Gi',
  '1Ti',
  '1Pi',
  '1Ei',
];

export function checkResourceFieldRef(
  errors: ErrorList,
  path: FieldPath,
  ref: Unchecked<ResourceFieldSelector>,
  use: Use,
): void {
  const { resource = '', divisor = '0' } = ref;
  if (use === 'volume' && !requireText(errors, path, 'containerName', ref.containerName)) return;
  if (!requireText(errors, path, 'resource', resource)) return;
  const [, name = ''] = /^(?:limits|requests)\.(.*)$/.exec(resource) ?? [];
  if (!resources.includes(resource) && !name.startsWith('hugepages-')) {
    errors.notSupported(path, 'resource', resource, resources);
    return;
  }
  const good = name === 'cpu' ? ['1m', '1'] : byteDivisors;
  if (divisor === '0' || good.includes(divisor)) return;
  const words: Readonly<Record<string, string>> = {
    cpu: 'cpu',
    memory: 'memory',
    'ephemeral-storage': 'local ephemeral storage',
  };
  const list = name === 'cpu' ? '1m and 1' : byteDivisors.join(', ');
  const detail = `only divisor's values ${list} are supported with the ${words[name] ?? 'hugepages'} resource`;
  errors.invalid(path, 'divisor', resource, detail);
}

/** A file of a downward API volume; `path` is that of the volume, since upstream gives no index. */
export function checkDownwardFile(
  errors: ErrorList,
  path: FieldPath,
  file: Unchecked<DownwardAPIVolumeFile>,
): void {
  const { fieldRef, resourceFieldRef } = file;
  if (requireText(errors, path, 'path', file.path)) checkLocalPath(errors, path, 'path', file.path);
  if (fieldRef !== undefined) {
    checkFieldRef(errors, path.child('fieldRef'), fieldRef, 'volume');
    if (resourceFieldRef !== undefined) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.invalid(path, '', 'resource', detail);
    }
  } else if (resourceFieldRef !== undefined) {
    checkResourceFieldRef(errors, path.child('resourceFieldRef'), resourceFieldRef, 'volume');
  } else errors.required(path, '', 'one of fieldRef and resourceFieldRef is required');
  checkFileMode(errors, path, 'mode', file.mode);
}
