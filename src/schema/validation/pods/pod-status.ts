import type {
  ContainerStatus,
  Pod,
  PodResourceClaimStatus,
  PodSpec,
  PodStatus,
} from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkFormat, checkUserId, immutableText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { statusPath } from '../field-path.ts';
import { checkLegacyIp, hasOneOfEachFamily, ipFamily } from '../formats/addresses.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkAllocatedResources, checkExtendedClaim } from './allocated-resources.ts';

type Status = Unchecked<PodStatus>;
type ContainerStatusIn = Unchecked<ContainerStatus>;

const kubeConditions = ['PodScheduled', 'Ready', 'Initialized'];
const notNegativeText = 'must be a non-negative integer';
const familyText = 'may specify no more than one IP for each IP family';

/** A report about a pod, mostly by its kubelet. */
export function checkPodStatus(
  errors: ErrorList,
  { spec = {}, status = {} }: Unchecked<Pod>,
  { spec: oldSpec = {}, status: old = {} }: Unchecked<Pod>,
): void {
  checkPodConditions(errors, status);
  if (spec.nodeName !== oldSpec.nodeName) {
    errors.forbidden(statusPath, 'nodeName', 'may not be changed directly');
  }
  checkNomination(errors, spec, status, old);
  if ((status.observedGeneration ?? 0) < 0) {
    errors.invalid(statusPath, 'observedGeneration', status.observedGeneration, notNegativeText);
  }
  if (old.qosClass !== undefined && status.qosClass !== old.qosClass) {
    errors.invalid(statusPath, 'qosClass', status.qosClass ?? '', immutableText);
  }
  checkStatuses(errors, 'containerStatuses', spec, status, old);
  checkStatuses(errors, 'initContainerStatuses', spec, status, old);
  checkStatuses(errors, 'ephemeralContainerStatuses', spec, status, old);
  checkClaimStatuses(errors, spec, status.resourceClaimStatuses ?? []);
  checkExtendedClaim(errors, spec, status.extendedResourceClaimStatus);
  checkPodIps(errors, status, old);
  checkHostIps(errors, status, old);
  checkUsers(errors, spec, status);
  checkAllocatedResources(errors, { spec, status });
}

function checkPodConditions(errors: ErrorList, { conditions = [] }: Status): void {
  conditions.forEach(({ type = '', observedGeneration = 0 }, index) => {
    const path = statusPath.child('conditions').at(index);
    if (observedGeneration < 0) {
      errors.invalid(path, 'observedGeneration', observedGeneration, notNegativeText);
    }
    if (!kubeConditions.includes(type)) checkFormat(errors, path, 'Type', type, labelKeyErrors);
  });
}

function checkNomination(
  errors: ErrorList,
  spec: Unchecked<PodSpec>,
  { nominatedNodeName: name = '' }: Status,
  old: Status,
): void {
  if (name === '' || name === old.nominatedNodeName) return;
  checkFormat(errors, statusPath, 'nominatedNodeName', name, dns1123SubdomainErrors);
  if ((spec.nodeName ?? '') === '') return;
  const detail = 'may not be set on pods that are already bound to a node';
  errors.forbidden(statusPath, 'nominatedNodeName', detail);
}

type StatusList = 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses';

/** A container that has ended for good cannot run again. */
function checkStatuses(
  errors: ErrorList,
  list: StatusList,
  spec: Unchecked<PodSpec>,
  status: Status,
  old: Status,
): void {
  const policy = list === 'ephemeralContainerStatuses' ? 'Never' : (spec.restartPolicy ?? 'Always');
  if (policy === 'Always' || (old[list]?.length ?? 0) === 0) return;
  const now = status[list] ?? [];
  for (const before of old[list] ?? []) {
    const exitCode = before.state?.terminated?.exitCode;
    const ended = before.state?.terminated !== undefined;
    if (!ended || (policy === 'OnFailure' && exitCode !== 0)) continue;
    if (mayRestart(spec, list, before)) continue;
    const index = now.findIndex(({ name }) => name === before.name);
    if (index < 0 || now[index]?.state?.terminated !== undefined) continue;
    const path = statusPath.child(list).at(index);
    errors.forbidden(path, 'state', 'may not be transitioned to non-terminated state');
  }
}

/** By a rule of its own or one that restarts the whole pod, else by a policy of its own. */
function mayRestart(
  spec: Unchecked<PodSpec>,
  list: StatusList,
  before: ContainerStatusIn,
): boolean {
  if (list === 'ephemeralContainerStatuses') return false;
  const all = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const hasRule = (action: string, { restartPolicyRules = [] }: (typeof all)[number]): boolean =>
    restartPolicyRules.some((rule) => rule.action === action);
  if (all.some((one) => hasRule('RestartAllContainers', one))) return true;
  const containers = list === 'initContainerStatuses' ? spec.initContainers : spec.containers;
  const container = containers?.find(({ name }) => name === before.name);
  const exitCode = before.state?.terminated?.exitCode ?? 0;
  const isRuled = (container?.restartPolicyRules ?? []).some(({ exitCodes }) => {
    const isIn = (exitCodes?.values ?? []).includes(exitCode);
    return exitCodes?.operator === 'NotIn' ? !isIn : isIn;
  });
  if (isRuled || container?.restartPolicy === 'Always') return true;
  return container?.restartPolicy === 'OnFailure' && exitCode !== 0;
}

function checkClaimStatuses(
  errors: ErrorList,
  spec: Unchecked<PodSpec>,
  statuses: ReadonlyArray<Unchecked<PodResourceClaimStatus>>,
): void {
  const seen = new Set<string>();
  statuses.forEach(({ name = '', resourceClaimName }, index) => {
    const path = statusPath.child('resourceClaimStatuses').at(index);
    if (spec.resourceClaims?.some((claim) => claim.name === name) !== true) {
      const detail = 'must match the name of an entry in `spec.resourceClaims`';
      errors.invalid(path, 'name', name, detail);
    }
    if (seen.has(name)) errors.duplicate(path, 'name', name);
    seen.add(name);
    if (resourceClaimName === undefined) return;
    checkFormat(errors, path, 'resourceClaimName', resourceClaimName, dns1123SubdomainErrors);
  });
}

function checkPodIps(errors: ErrorList, { podIPs = [] }: Status, old: Status): void {
  if (podIPs.length === 0) return;
  const ips = podIPs.map(({ ip = '' }) => ip);
  const stored = old.podIPs?.map(({ ip }) => ip);
  ips.forEach((ip, index) => {
    checkLegacyIp(errors, statusPath.child('podIPs'), index, ip, stored);
  });
  if (ips.length > 1 && !hasOneOfEachFamily(ips.map(ipFamily))) {
    errors.invalid(statusPath, 'podIPs', podIPs, familyText);
  }
}

function checkHostIps(errors: ErrorList, { hostIP = '', hostIPs = [] }: Status, old: Status): void {
  if (hostIPs.length === 0) return;
  const path = statusPath.child('hostIPs');
  const ips = hostIPs.map(({ ip = '' }) => ip);
  if (hostIP !== ips[0])
    errors.invalid(path.at(0), 'ip', ips[0] ?? '', 'must be equal to `hostIP`');
  const stored = old.hostIPs?.map(({ ip }) => ip);
  ips.forEach((ip, index) => checkLegacyIp(errors, path, index, ip, stored));
  if (ips.length > 1 && !hasOneOfEachFamily(ips.map(ipFamily))) {
    errors.invalid(statusPath, 'hostIPs', hostIPs, familyText);
  }
}

function checkUsers(errors: ErrorList, spec: Unchecked<PodSpec>, status: Status): void {
  (status.containerStatuses ?? []).forEach(({ user }, index) => {
    const linux = user?.linux;
    if (linux === undefined) return;
    const path = statusPath.child('containerStatuses').at(index).child('user.linux');
    if (spec.os?.name === 'windows') {
      errors.forbidden(path, '', 'cannot be set for a windows pod');
      return;
    }
    checkUserId(errors, path, 'uid', linux.uid);
    checkUserId(errors, path, 'gid', linux.gid);
    (linux.supplementalGroups ?? []).forEach((group, place) => {
      checkUserId(errors, path.child('supplementalGroups'), place, group);
    });
  });
}
