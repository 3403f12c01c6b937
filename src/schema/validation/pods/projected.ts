import type {
  ClusterTrustBundleProjection,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkSignerName } from '../formats/domain-names.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import { checkLocalPath } from '../formats/paths.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import { totalBytes } from '../shared/object-meta.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';
import { checkDownwardFile } from './field-refs.ts';
import { checkFileMode, checkKeyPaths } from './key-paths.ts';

export function checkProjected(
  errors: ErrorList,
  path: FieldPath,
  { defaultMode, sources = [] }: Unchecked<ProjectedVolumeSource>,
): void {
  checkFileMode(errors, path, 'defaultMode', defaultMode);
  const files = new Set<string>();
  for (let index = 0; index < sources.length; index++) {
    checkProjection(errors, path, path.child('sources').at(index), sources[index] ?? {}, files);
  }
}

function checkProjection(
  errors: ErrorList,
  volume: FieldPath,
  path: FieldPath,
  source: Unchecked<VolumeProjection>,
  files: Set<string>,
): void {
  let count = 0;
  const addFile = (file: string | undefined, value: string): void => {
    if (file === undefined || file === '') return;
    if (files.has(file)) errors.invalid(volume, '', value, 'conflicting duplicate paths');
    files.add(file);
  };
  for (const field of ['secret', 'configMap'] as const) {
    const part = source[field];
    if (part === undefined) continue;
    count++;
    const at = path.child(field);
    requireText(errors, at, 'name', part.name);
    checkKeyPaths(errors, at, part.items);
    for (const item of part.items ?? []) addFile(item.path, part.name ?? '');
  }
  if (source.downwardAPI !== undefined) {
    count++;
    for (const file of source.downwardAPI.items ?? []) {
      checkDownwardFile(errors, path.child('downwardAPI'), file);
      addFile(file.path, file.path ?? '');
    }
  }
  if (source.serviceAccountToken !== undefined) {
    count++;
    checkToken(errors, volume, path, source.serviceAccountToken);
    addFile(source.serviceAccountToken.path, source.serviceAccountToken.path ?? '');
  }
  if (source.clusterTrustBundle !== undefined) {
    count++;
    checkTrustBundle(errors, path.child('clusterTrustBundle'), source.clusterTrustBundle);
    addFile(source.clusterTrustBundle.path, source.clusterTrustBundle.path ?? '');
  }
  if (source.podCertificate !== undefined) {
    count++;
    checkPodCertificate(errors, path.child('podCertificate'), source.podCertificate);
    const { credentialBundlePath, keyPath, certificateChainPath } = source.podCertificate;
    for (const file of [credentialBundlePath, keyPath, certificateChainPath]) {
      addFile(file, file ?? '');
    }
  }
  if (count > 1) {
    errors.forbidden(path, '', 'may not specify more than 1 volume type per source');
  }
}

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;

/** How long a token may live: ten minutes at least. */
export function checkTokenSeconds(
  errors: ErrorList,
  path: FieldPath,
  seconds: number | undefined,
): void {
  if (seconds === undefined) return;
  if (seconds < minTokenSeconds) {
    const detail = 'may not specify a duration less than 10 minutes';
    errors.invalid(path, 'expirationSeconds', seconds, detail);
  } else if (seconds > maxTokenSeconds) {
    const detail = 'may not specify a duration larger than 2^32 seconds';
    errors.invalid(path, 'expirationSeconds', seconds, detail);
  }
}

function checkToken(
  errors: ErrorList,
  volume: FieldPath,
  path: FieldPath,
  token: Unchecked<ServiceAccountTokenProjection>,
): void {
  checkTokenSeconds(errors, path.child('serviceAccountToken'), token.expirationSeconds);
  if (requireText(errors, volume, 'path', token.path)) {
    checkLocalPath(errors, volume, 'path', token.path);
  }
}

function checkTrustBundle(
  errors: ErrorList,
  path: FieldPath,
  bundle: Unchecked<ClusterTrustBundleProjection>,
): void {
  const { name, signerName, labelSelector } = bundle;
  if (name !== undefined && signerName !== undefined) {
    errors.invalid(path, '', bundle, 'only one of name and signerName may be used');
  } else if (name !== undefined) {
    if (requireText(errors, path, 'name', name, 'must be a valid object name')) {
      const bare = name.slice(name.lastIndexOf(':') + 1);
      for (const why of dns1123SubdomainErrors(bare)) {
        errors.invalid(path, 'name', name, `not a valid clustertrustbundlename: ${why}`);
      }
    }
    if (labelSelector !== undefined) {
      const detail = 'labelSelector must be unset if name is specified';
      errors.invalid(path, 'labelSelector', labelSelector, detail);
    }
  } else if (signerName !== undefined) {
    if (requireText(errors, path, 'signerName', signerName, 'must be a valid signer name')) {
      checkSignerName(errors, path, 'signerName', signerName);
    }
    checkLabelSelector(errors, path.child('labelSelector'), labelSelector);
  } else errors.required(path, '', 'either name or signerName must be specified');
  if (requireText(errors, path, 'path', bundle.path)) {
    checkLocalPath(errors, path, 'path', bundle.path);
  }
}

const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];

function checkPodCertificate(
  errors: ErrorList,
  path: FieldPath,
  certificate: Unchecked<PodCertificateProjection>,
): void {
  const { signerName = '', keyType = '', maxExpirationSeconds: seconds } = certificate;
  checkSignerName(errors, path, 'signerName', signerName);
  if (certificate.userAnnotations !== undefined) {
    checkUserAnnotations(errors, path.child('userAnnotations'), certificate.userAnnotations);
  }
  if (!keyTypes.includes(keyType)) errors.notSupported(path, 'keyType', keyType, keyTypes);
  const maxSeconds = signerName.startsWith('kubernetes.io/') ? 86400 : 7862400;
  if (seconds !== undefined && seconds < 3600) {
    const detail = 'if provided, maxExpirationSeconds must be >= 3600';
    errors.invalid(path, 'maxExpirationSeconds', seconds, detail);
  } else if (seconds !== undefined && seconds > maxSeconds) {
    const detail = `if provided, maxExpirationSeconds must be <= ${maxSeconds}`;
    errors.invalid(path, 'maxExpirationSeconds', seconds, detail);
  }
  let hasPath = false;
  for (const field of ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const) {
    const file = certificate[field] ?? '';
    if (file === '') continue;
    hasPath = true;
    checkLocalPath(errors, path, field, file);
  }
  if (hasPath) return;
  const detail = 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath';
  errors.required(path, '', detail);
}

function checkUserAnnotations(errors: ErrorList, path: FieldPath, map: StringMap): void {
  for (const key in map) {
    const messages = labelKeyErrors(key.toLowerCase());
    if (key === '') errors.required(path, '');
    else if (messages.length > 0) {
      for (const detail of messages) errors.invalid(path, '', key, detail);
    } else if (!key.includes('/')) {
      const detail = 'must be a domain-prefixed key (such as "acme.io/foo")';
      errors.invalid(path, '', key, detail);
    }
  }
  if (totalBytes(map) > 262144) errors.tooLong(path, '', 262144);
}
