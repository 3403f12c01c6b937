import type { PodSpec, SecurityContext, Sysctl } from '../../generated/types.ts';
import { checkOneOf, checkUserId } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';
import type { PodContext } from './context.ts';
import { checkAppArmorProfile, checkSeccompProfile, checkWindowsOptions } from './profiles.ts';

const procMounts = ['Default', 'Unmasked'];

export function checkSecurityContext(
  errors: ErrorList,
  path: FieldPath,
  security: Unchecked<SecurityContext>,
  { spec }: PodContext,
): void {
  checkUserId(errors, path, 'runAsUser', security.runAsUser);
  checkUserId(errors, path, 'runAsGroup', security.runAsGroup);
  checkOneOf(errors, path, 'procMount', security.procMount, procMounts);
  if (security.procMount === 'Unmasked' && spec.hostUsers !== false) {
    const detail = '`hostUsers` must be false to use `Unmasked`';
    errors.invalid(path, 'procMount', security.procMount, detail);
  }
  if (security.seccompProfile !== undefined) {
    checkSeccompProfile(errors, path.child('seccompProfile'), security.seccompProfile);
  }
  if (security.allowPrivilegeEscalation === false) {
    const prefix = 'cannot set `allowPrivilegeEscalation` to false and';
    if (security.privileged === true) {
      errors.invalid(path, '', security, `${prefix} \`privileged\` to true`);
    }
    if (security.capabilities?.add?.includes('CAP_SYS_ADMIN') === true) {
      errors.invalid(path, '', security, `${prefix} \`capabilities.Add\` CAP_SYS_ADMIN`);
    }
  }
  if (security.windowsOptions !== undefined) {
    checkWindowsOptions(errors, path.child('windowsOptions'), security.windowsOptions);
  }
  if (security.appArmorProfile !== undefined) {
    checkAppArmorProfile(errors, path.child('appArmorProfile'), security.appArmorProfile);
  }
}

/** The security context of the pod as a whole. */
export function checkPodSecurity(
  errors: ErrorList,
  specPath: FieldPath,
  spec: Unchecked<PodSpec>,
): void {
  const path = specPath.child('securityContext');
  const { securityContext: security = {} } = spec;
  checkUserId(errors, path, 'fsGroup', security.fsGroup);
  checkUserId(errors, path, 'runAsUser', security.runAsUser);
  checkUserId(errors, path, 'runAsGroup', security.runAsGroup);
  (security.supplementalGroups ?? []).forEach((group, index) => {
    checkUserId(errors, path.child('supplementalGroups'), index, group);
  });
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.invalid(path, 'shareProcessNamespace', true, detail);
  }
  if (security.sysctls !== undefined) {
    checkSysctls(errors, path.child('sysctls'), security.sysctls, spec);
  }
  const { fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = security;
  checkOneOf(errors, path, 'fsGroupChangePolicy', fsGroupChangePolicy, changePolicies);
  if (security.seccompProfile !== undefined) {
    checkSeccompProfile(errors, path.child('seccompProfile'), security.seccompProfile);
  }
  if (security.windowsOptions !== undefined) {
    checkWindowsOptions(errors, path.child('windowsOptions'), security.windowsOptions);
  }
  if (security.appArmorProfile !== undefined) {
    checkAppArmorProfile(errors, path.child('appArmorProfile'), security.appArmorProfile);
  }
  checkOneOf(errors, path, 'supplementalGroupsPolicy', supplementalGroupsPolicy, groupPolicies);
  checkOneOf(errors, path, 'seLinuxChangePolicy', seLinuxChangePolicy, seLinuxPolicies);
}

const changePolicies = ['Always', 'OnRootMismatch'];
const groupPolicies = ['Merge', 'Strict'];
const seLinuxPolicies = ['MountOption', 'Recursive'];

const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlText =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const ipcSysctls = new Set([
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
]);

function checkSysctls(
  errors: ErrorList,
  path: FieldPath,
  sysctls: ReadonlyArray<Unchecked<Sysctl>>,
  spec: Unchecked<PodSpec>,
): void {
  const seen = new Set<string>();
  sysctls.forEach(({ name = '' }, index) => {
    const at = path.at(index);
    const dotted = dottedName(name);
    if (name === '') errors.required(at, 'name');
    else if (name.length > 253 || !sysctlName.test(name)) {
      errors.invalid(at, 'name', name, sysctlText);
    } else if (seen.has(dotted)) errors.duplicate(at, 'name', name);
    seen.add(dotted);
    if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      errors.invalid(at, 'name', name, "may not be specified when 'hostNetwork' is true");
    }
    const isIpc = ipcSysctls.has(dotted) || dotted.startsWith('fs.mqueue.');
    if (spec.hostIPC === true && isIpc) {
      errors.invalid(at, 'name', name, "may not be specified when 'hostIPC' is true");
    }
  });
}

/** With the first separator being a slash, slashes separate and dots are part of names. */
function dottedName(name: string): string {
  const first = name.search(/[./]/);
  if (first < 0 || name[first] === '.') return name;
  return name.replaceAll(/[./]/g, (char) => (char === '/' ? '.' : '/'));
}
