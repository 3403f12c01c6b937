import type { ObjectMeta, PodSpec } from '../../generated/types.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';
import { forEachContainer } from './context.ts';

export const mirrorAnnotation = 'kubernetes.io/config.mirror';
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';

/** Annotations that mean something to the server; `path` is that of the annotations. */
export function checkPodAnnotations(
  errors: ErrorList,
  path: FieldPath,
  annotations: NonNullable<Unchecked<ObjectMeta>['annotations']>,
  spec: Unchecked<PodSpec>,
  oldAnnotations: Unchecked<ObjectMeta>['annotations'] | undefined,
): void {
  if (annotations[mirrorAnnotation] !== undefined && (spec.nodeName ?? '') === '') {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    const value = annotations[mirrorAnnotation];
    errors.invalid(path.key(mirrorAnnotation), '', value, detail);
  }
  const cost = annotations[deletionCost];
  if (cost !== undefined && cost !== oldAnnotations?.[deletionCost] && !isInt32(cost)) {
    errors.invalid(path.key(deletionCost), '', cost, 'must be a 32bit integer');
  }
  for (const key in annotations) {
    const value = annotations[key] ?? '';
    if (key === seccompPod || key.startsWith(seccompContainer)) {
      checkSeccompAnnotation(errors, path.child(key), value);
    } else if (key.startsWith(appArmorPrefix)) {
      checkAppArmorAnnotation(errors, path.key(key), key, value, spec);
    }
  }
}

function isInt32(text: string): boolean {
  if (!/^(0|-?[1-9][0-9]{0,9})$/.test(text)) return false;
  const value = Number(text);
  return value >= -2147483648 && value <= 2147483647;
}

const seccompProfiles = ['runtime/default', 'docker/default', 'unconfined'];

function checkSeccompAnnotation(errors: ErrorList, path: FieldPath, value: string): void {
  const isLocal = value.startsWith('localhost/') && value.length > 'localhost/'.length;
  if (seccompProfiles.includes(value) || isLocal) return;
  errors.invalid(path, '', value, 'must be a valid seccomp profile');
}

function checkAppArmorAnnotation(
  errors: ErrorList,
  path: FieldPath,
  key: string,
  value: string,
  spec: Unchecked<PodSpec>,
): void {
  const name = key.slice(appArmorPrefix.length);
  let isKnown = false;
  forEachContainer(spec, path, (container) => {
    if (container.name === name) isKnown = true;
  });
  if (!isKnown) errors.invalid(path, '', name, 'container not found');
  const isGood = ['', 'runtime/default', 'unconfined'].includes(value);
  if (isGood || value.startsWith('localhost/')) return;
  errors.invalid(path, '', value, `invalid AppArmor profile name: "${value}"`);
}
