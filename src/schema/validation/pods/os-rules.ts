import type { PodSpec } from '../../generated/types.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { forEachContainer } from './context.ts';

const osNames = ['linux', 'windows'];
const windowsText = 'cannot be set for a windows pod';

/** What a pod that names its operating system must leave out. */
export function checkOs(errors: ErrorList, path: FieldPath, spec: Unchecked<PodSpec>): void {
  if (spec.os === undefined) return;
  const { name = '' } = spec.os;
  if (name === '') {
    errors.required(path, 'os.name');
    return;
  }
  if (!osNames.includes(name)) errors.notSupported(path, 'os', name, osNames);
  if (name === 'linux') checkLinux(errors, path, spec);
  if (name === 'windows') checkWindows(errors, path, spec);
}

function checkLinux(errors: ErrorList, path: FieldPath, spec: Unchecked<PodSpec>): void {
  const detail = 'windows options cannot be set for a linux pod';
  if (spec.securityContext?.windowsOptions !== undefined) {
    errors.forbidden(path, 'securityContext.windowsOptions', detail);
  }
  forEachContainer(spec, path, (container, at) => {
    if (container.securityContext?.windowsOptions === undefined) return;
    errors.forbidden(at, 'securityContext.windowsOptions', detail);
  });
}

const podFields = [
  ['securityContext', 'appArmorProfile'],
  ['securityContext', 'seLinuxOptions'],
  ['', 'hostUsers'],
  ['', 'hostPID'],
  ['', 'hostIPC'],
  ['securityContext', 'seccompProfile'],
  ['securityContext', 'fsGroup'],
  ['securityContext', 'fsGroupChangePolicy'],
  ['securityContext', 'sysctls'],
  ['', 'shareProcessNamespace'],
  ['securityContext', 'runAsUser'],
  ['securityContext', 'runAsGroup'],
  ['securityContext', 'supplementalGroups'],
  ['securityContext', 'supplementalGroupsPolicy'],
  ['securityContext', 'seLinuxChangePolicy'],
] as const;
const containerFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;
/** Held by value upstream: false is the same as absent. */
const plainFlags: readonly string[] = ['hostPID', 'hostIPC'];

function checkWindows(errors: ErrorList, path: FieldPath, spec: Unchecked<PodSpec>): void {
  for (const [parent, field] of podFields) {
    const holder = (parent === '' ? spec : spec.securityContext) as
      | Readonly<Record<string, unknown>>
      | undefined;
    const value = holder?.[field];
    if (value === undefined || (plainFlags.includes(field) && value !== true)) continue;
    if (isEmpty(value)) continue;
    errors.forbidden(parent === '' ? path : path.child(parent), field, windowsText);
  }
  forEachContainer(spec, path, (container, at) => {
    for (const field of containerFields) {
      if (container.securityContext?.[field] === undefined) continue;
      errors.forbidden(at.child('securityContext'), field, windowsText);
    }
  });
}

/** Host process containers of Windows: all or none, on the host's network. */
export function checkHostProcess(
  errors: ErrorList,
  path: FieldPath,
  spec: Unchecked<PodSpec>,
): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let hosted = 0;
  let total = 0;
  forEachContainer({ ...spec, ephemeralContainers: [] }, path, (container, at) => {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && own !== ofPod) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.invalid(at, 'securityContext.windowsOptions.hostProcess', own, detail);
    }
    total++;
    if ((own ?? ofPod) === true) hosted++;
  });
  if (hosted === 0) return;
  if (hosted < total) {
    const detail =
      'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.invalid(path, '', '', detail);
  }
  if (spec.hostNetwork !== true) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.invalid(path, 'hostNetwork', spec.hostNetwork ?? false, detail);
  }
}
