import type {
  AppArmorProfile,
  ObjectMeta,
  PodSpec,
  SeccompProfile,
} from '../../generated/types.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';
import { forEachContainer } from './context.ts';
import { appArmorPrefix } from './pod-annotations.ts';

const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';
const localPrefix = 'localhost/';

type Annotations = NonNullable<Unchecked<ObjectMeta>['annotations']>;

/** Profiles that are given as annotation and as field must be the same. */
export function checkProfileAnnotations(
  errors: ErrorList,
  specPath: FieldPath,
  annotations: Annotations,
  spec: Unchecked<PodSpec>,
): void {
  const { seccompProfile, appArmorProfile } = spec.securityContext ?? {};
  const path = specPath.child('securityContext');
  checkProfile(errors, path, 'seccomp', annotations[seccompPod], seccompProfile);
  forEachContainer(spec, specPath, ({ name = '', securityContext }, at) => {
    const own = at.child('securityContext');
    const seccomp = annotations[`${seccompContainer}${name}`];
    const appArmor = annotations[`${appArmorPrefix}${name}`];
    checkProfile(errors, own, 'seccomp', seccomp, securityContext?.seccompProfile);
    const effective = securityContext?.appArmorProfile ?? appArmorProfile;
    checkProfile(errors, own, 'apparmor', appArmor, effective);
  });
}

function checkProfile(
  errors: ErrorList,
  path: FieldPath,
  kind: 'seccomp' | 'apparmor',
  annotation: string | undefined,
  profile: Unchecked<SeccompProfile | AppArmorProfile> | undefined,
): void {
  if (annotation === undefined || annotation === '' || profile === undefined) return;
  const field = kind === 'seccomp' ? 'seccompProfile' : 'appArmorProfile';
  const isLocal = annotation.startsWith(localPrefix);
  if (profile.type !== typeOf(annotation)) {
    const detail = `${kind} type in annotation and field must match`;
    errors.forbidden(path, `${field}.type`, detail);
  } else if (isLocal && profile.localhostProfile !== annotation.slice(localPrefix.length)) {
    const detail = `${kind} profile in annotation and field must match`;
    errors.forbidden(path, `${field}.localhostProfile`, detail);
  }
}

function typeOf(annotation: string): string {
  if (annotation.startsWith(localPrefix)) return 'Localhost';
  return annotation === 'unconfined' ? 'Unconfined' : 'RuntimeDefault';
}
