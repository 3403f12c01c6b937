import { jsonEqual } from '#schema/patch/mod.ts';
import type { AppArmorProfile, Container, Pod, PodSpec } from '#schema/types.ts';

const prefix = 'container.apparmor.security.beta.kubernetes.io/';
const localhost = 'localhost/';
/** Longest name of a profile of the node, in bytes. */
const longestName = 4095;

/**
 * Copies the profiles that annotations of a new pod name into the fields of its containers, where
 * these have none and the pod's own profile differs. Returns a warning for each that it copied, and
 * for each that is none. Changes the fresh pod in place.
 */
export function takeAppArmorFromAnnotations(object: object): string[] {
  const { metadata, spec } = object as Pod;
  const { annotations } = metadata;
  if (annotations === undefined || spec === undefined || spec.os?.name === 'windows') return [];
  const podProfile = spec.securityContext?.appArmorProfile;
  // Not validated yet: a pod may come without containers.
  const given: Partial<PodSpec> = spec;
  const { initContainers = [], containers = [], ephemeralContainers = [] } = given;
  const warnings: string[] = [];
  for (const container of [...initContainers, ...containers, ...ephemeralContainers]) {
    const key = `${prefix}${container.name}`;
    const annotation = annotations[key];
    if (annotation === undefined || container.securityContext?.appArmorProfile) continue;
    if (copyProfile(container, profileOf(annotation), podProfile)) continue;
    const path = `metadata.annotations[${key}]`;
    warnings.push(`${path}: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
  return warnings;
}

/** True when there is nothing to copy because the pod says the same. */
function copyProfile(
  container: Pick<Container, 'securityContext'>,
  profile: AppArmorProfile | undefined,
  podProfile: AppArmorProfile | undefined,
): boolean {
  if (profile === undefined) return false;
  if (jsonEqual(profile, podProfile)) return true;
  container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  return false;
}

function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!annotation.startsWith(localhost)) return undefined;
  const localhostProfile = annotation.slice(localhost.length);
  const isName =
    localhostProfile !== '' &&
    localhostProfile.trim() === localhostProfile &&
    Buffer.byteLength(localhostProfile) <= longestName;
  return isName ? { type: 'Localhost', localhostProfile } : undefined;
}
