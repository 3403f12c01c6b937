import type { Container, VolumeDevice, VolumeMount } from '../../generated/types.ts';
import { checkOneOf, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkRelativePath, hasBackstep } from '../formats/paths.ts';
import type { Unchecked } from '../unchecked.ts';
import type { PodContext } from './context.ts';

const propagations = ['Bidirectional', 'HostToContainer', 'None'];
const readOnlyModes = ['Disabled', 'Enabled', 'IfPossible'];

/** volumeMounts and volumeDevices of a container, which share names and paths. */
export function checkMounts(
  errors: ErrorList,
  container: FieldPath,
  of: Unchecked<Container>,
  context: PodContext,
): void {
  const { volumeMounts = [], volumeDevices = [] } = of;
  if (volumeMounts.length > 0) {
    const path = container.child('volumeMounts');
    const seen = new Set<string>();
    const devices = placesOf(volumeDevices, 'devicePath');
    for (let index = 0; index < volumeMounts.length; index++) {
      const mount = volumeMounts[index] ?? {};
      checkMount(errors, path, index, mount, seen, devices, context);
      checkPropagation(errors, path, mount, of.securityContext?.privileged === true);
    }
  }
  if (volumeDevices.length > 0) {
    checkDevices(errors, container.child('volumeDevices'), volumeDevices, volumeMounts, context);
  }
}

interface Places {
  readonly names: ReadonlySet<string | undefined>;
  readonly paths: ReadonlySet<string | undefined>;
}

const nowhere: Places = { names: new Set(), paths: new Set() };

function placesOf(
  list: ReadonlyArray<Unchecked<VolumeMount & VolumeDevice>>,
  path: 'mountPath' | 'devicePath',
): Places {
  if (list.length === 0) return nowhere;
  const names = new Set(list.map(({ name }) => name));
  return { names, paths: new Set(list.map((one) => one[path])) };
}

function checkMount(
  errors: ErrorList,
  list: FieldPath,
  index: number,
  mount: Unchecked<VolumeMount>,
  seen: Set<string>,
  devices: Places,
  { volumes }: PodContext,
): void {
  const path = list.at(index);
  const { name, mountPath = '', subPath = '', subPathExpr = '' } = mount;
  if (requireText(errors, path, 'name', name) && !volumes.has(name)) {
    errors.notFound(path, 'name', name);
  }
  requireText(errors, path, 'mountPath', mountPath);
  if (seen.has(mountPath)) errors.invalid(path, 'mountPath', mountPath, 'must be unique');
  seen.add(mountPath);
  if (devices.names.has(name)) {
    errors.invalid(path, 'name', name ?? '', 'must not already exist in volumeDevices');
  }
  if (devices.paths.has(mountPath)) {
    const detail = 'must not already exist as a path in volumeDevices';
    errors.invalid(path, 'mountPath', mountPath, detail);
  }
  if (subPath !== '') checkRelativePath(errors, list, 'subPath', subPath);
  if (subPathExpr === '') return;
  if (subPath !== '') {
    const detail = 'subPathExpr and subPath are mutually exclusive';
    errors.invalid(path, 'subPathExpr', subPathExpr, detail);
  }
  checkRelativePath(errors, list, 'subPathExpr', subPathExpr);
}

/** Reported at the list, as upstream does. */
function checkPropagation(
  errors: ErrorList,
  list: FieldPath,
  { mountPropagation, recursiveReadOnly, readOnly }: Unchecked<VolumeMount>,
  isPrivileged: boolean,
): void {
  checkOneOf(errors, list, 'mountPropagation', mountPropagation, propagations);
  if (mountPropagation === 'Bidirectional' && !isPrivileged) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers';
    errors.forbidden(list, 'mountPropagation', detail);
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return;
  checkOneOf(errors, list, 'recursiveReadOnly', recursiveReadOnly, readOnlyModes);
  if (!readOnlyModes.includes(recursiveReadOnly)) return;
  if (readOnly !== true) {
    const detail = 'may only be specified when readOnly is true';
    errors.forbidden(list, 'recursiveReadOnly', detail);
  }
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    const detail = 'may only be specified when mountPropagation is None or not specified';
    errors.forbidden(list, 'recursiveReadOnly', detail);
  }
}

function checkDevices(
  errors: ErrorList,
  list: FieldPath,
  devices: ReadonlyArray<Unchecked<VolumeDevice>>,
  mounts: ReadonlyArray<Unchecked<VolumeMount>>,
  { volumes }: PodContext,
): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounted = placesOf(mounts, 'mountPath');
  devices.forEach(({ name = '', devicePath = '' }, index) => {
    const path = list.at(index);
    requireText(errors, path, 'name', name);
    if (names.has(name)) errors.invalid(path, 'name', name, 'must be unique');
    const volume = volumes.get(name);
    if (volume !== undefined) {
      if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
        const detail =
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
        errors.invalid(path, 'name', name, detail);
      }
    } else errors.notFound(path, 'name', name);
    requireText(errors, path, 'devicePath', devicePath);
    if (paths.has(devicePath)) errors.invalid(path, 'devicePath', devicePath, 'must be unique');
    if (hasBackstep(devicePath)) {
      errors.invalid(path, 'devicePath', devicePath, "can not contain backsteps ('..')");
    }
    names.add(name);
    paths.add(devicePath);
    if (mounted.names.has(name)) {
      errors.invalid(path, 'name', name, 'must not already exist in volumeMounts');
    }
    if (mounted.paths.has(devicePath)) {
      const detail = 'must not already exist as a path in volumeMounts';
      errors.invalid(path, 'devicePath', devicePath, detail);
    }
  });
}
