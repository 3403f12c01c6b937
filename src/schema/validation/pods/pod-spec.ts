import type { HostAlias, PodResourceClaim, PodSpec, Volume } from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import {
  checkEach,
  checkEachFormat,
  checkFormat,
  checkMaxBytes,
  checkOptionalFormat,
  checkRange,
  requireOneOf,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkLegacyIp } from '../formats/addresses.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import { checkLabels } from '../shared/object-meta.ts';
import { checkResourceList } from '../shared/quantities.ts';
import { checkContainerResourceName } from '../shared/resource-names.ts';
import { checkToleration } from '../shared/tolerations.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkAffinity, checkSpreadConstraints } from './affinity.ts';
import { checkContainers } from './containers.ts';
import type { PodContext } from './context.ts';
import { forEachContainer } from './context.ts';
import { checkDnsConfig } from './dns.ts';
import { checkHostProcess, checkOs } from './os-rules.ts';
import { checkPodResources } from './pod-resources.ts';
import { checkPodSecurity } from './security.ts';
import { checkVolumes } from './volumes.ts';

type Spec = Unchecked<PodSpec>;

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const preemptionPolicies = ['PreemptLowerPriority', 'Never'];
const noNames: readonly string[] = [];

export interface PodSpecOptions {
  readonly isTemplate: boolean;
  /** Of the pod; '' for templates. */
  readonly podName: string;
  /** A mirror of a static pod. */
  readonly isMirror: boolean;
  /** Volumes that are there beside those of the spec. */
  readonly extraVolumes?: ReadonlyArray<Unchecked<Volume>> | undefined;
  readonly old?: Spec | undefined;
}

/** All rules of a pod's spec, in upstream's order. */
export function checkPodSpec(
  errors: ErrorList,
  path: FieldPath,
  spec: Spec,
  options: PodSpecOptions,
): void {
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.required(path, 'terminationGracePeriodSeconds');
  }
  const volumes = checkVolumes(errors, path, spec, options);
  for (const volume of options.extraVolumes ?? []) volumes.set(volume.name ?? '', volume);
  const claimNames = spec.resourceClaims?.map(({ name = '' }) => name) ?? noNames;
  if (spec.resourceClaims !== undefined) {
    checkResourceClaims(errors, path, spec.resourceClaims, options.isMirror);
  }
  const context: PodContext = {
    isTemplate: options.isTemplate,
    podName: options.podName,
    spec,
    volumes,
    claimNames,
    old: options.old,
  };
  checkContainers(errors, path, context);
  checkPodResources(errors, path, spec);
  if (spec.hostNetwork === true) checkHostNetworkPorts(errors, path, context);
  requireOneOf(errors, path, 'restartPolicy', spec.restartPolicy, restartPolicies);
  requireOneOf(errors, path, 'dnsPolicy', spec.dnsPolicy, dnsPolicies);
  if (spec.nodeSelector !== undefined) {
    checkLabels(errors, path, 'nodeSelector', spec.nodeSelector);
  }
  checkPodSecurity(errors, path, spec);
  checkScheduling(errors, path, spec);
  checkDnsConfig(errors, path, spec, options.old);
  checkGates(errors, path, spec);
  if (spec.topologySpreadConstraints !== undefined) {
    const at = path.child('topologySpreadConstraints');
    checkSpreadConstraints(errors, at, spec.topologySpreadConstraints);
  }
  checkHostProcess(errors, path, spec);
  if (spec.hostUsers === false) checkUserNamespace(errors, path, spec);
  checkNames(errors, path, spec, options.old);
  if (spec.os !== undefined) checkOs(errors, path, spec);
  checkFileKeys(errors, path, context);
}

function checkResourceClaims(
  errors: ErrorList,
  specPath: FieldPath,
  claims: ReadonlyArray<Unchecked<PodResourceClaim>>,
  isMirror: boolean,
): void {
  if (isMirror && claims.length > 0) {
    errors.forbidden(specPath, '', 'static pods do not support resource claims');
  }
  const path = specPath.child('resourceClaims');
  const seen = new Set<string>();
  claims.forEach((claim, index) => {
    const at = path.at(index);
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === '') errors.required(at, 'name');
    else if (seen.has(name)) errors.duplicate(at, 'name', name);
    else checkFormat(errors, at, 'name', name, dns1123LabelErrors);
    seen.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail =
        'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.invalid(at, '', claim, detail);
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.invalid(at, '', claim, detail);
    }
    for (const field of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[field];
      if (value !== undefined) checkFormat(errors, at, field, value, dns1123SubdomainErrors);
    }
  });
}

function checkHostNetworkPorts(
  errors: ErrorList,
  path: FieldPath,
  { spec, isTemplate }: PodContext,
): void {
  (spec.containers ?? []).forEach(({ ports = [] }, index) => {
    ports.forEach(({ hostPort = 0, containerPort = 0 }, place) => {
      if (hostPort === containerPort || (isTemplate && hostPort === 0)) return;
      const at = path.child('containers').at(index).child('ports').at(place);
      const detail = 'must match `containerPort` when `hostNetwork` is true';
      errors.invalid(at, 'hostPort', hostPort, detail);
    });
  });
}

function checkScheduling(errors: ErrorList, path: FieldPath, { affinity }: Spec): void {
  if (affinity !== undefined) checkAffinity(errors, path.child('affinity'), affinity);
}

function checkGates(errors: ErrorList, path: FieldPath, spec: Spec): void {
  (spec.readinessGates ?? []).forEach(({ conditionType }, index) => {
    const at = path.child('readinessGates').at(index);
    checkFormat(errors, at, 'conditionType', conditionType, labelKeyErrors);
  });
  const seen = new Set<string>();
  (spec.schedulingGates ?? []).forEach(({ name = '' }, index) => {
    const at = path.child('schedulingGates');
    checkFormat(errors, at, index, name, labelKeyErrors);
    if (seen.has(name)) errors.duplicate(at, index, name);
    seen.add(name);
  });
}

/** A pod with users of its own may share nothing with the host. */
function checkUserNamespace(errors: ErrorList, path: FieldPath, spec: Spec): void {
  const detail = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) errors.forbidden(path, 'hostNetwork', detail);
  if (spec.hostPID === true) errors.forbidden(path, 'HostPID', detail);
  if (spec.hostIPC === true) errors.forbidden(path, 'HostIPC', detail);
  forEachContainer(spec, path, (container, at) => {
    if ((container.volumeDevices?.length ?? 0) > 0) errors.forbidden(at, 'volumeDevices', detail);
  });
}

function checkNames(errors: ErrorList, path: FieldPath, spec: Spec, old: Spec | undefined): void {
  if (spec.hostnameOverride !== undefined) checkHostnameOverride(errors, path, spec);
  const { serviceAccountName, nodeName, hostname, subdomain, activeDeadlineSeconds } = spec;
  checkOptionalFormat(
    errors,
    path,
    'serviceAccountName',
    serviceAccountName,
    dns1123SubdomainErrors,
  );
  checkOptionalFormat(errors, path, 'nodeName', nodeName, dns1123SubdomainErrors);
  checkRange(errors, path, 'activeDeadlineSeconds', activeDeadlineSeconds, 1, 2147483647);
  checkOptionalFormat(errors, path, 'hostname', hostname, dns1123LabelErrors);
  checkOptionalFormat(errors, path, 'subdomain', subdomain, dns1123LabelErrors);
  if (spec.tolerations !== undefined) {
    checkEach(errors, path.child('tolerations'), spec.tolerations, checkToleration);
  }
  const { hostAliases = [] } = spec;
  const knownIps = hostAliases.length === 0 ? undefined : old?.hostAliases?.map(({ ip }) => ip);
  hostAliases.forEach((alias, index) => {
    checkHostAlias(errors, path.child('hostAliases').at(index), alias, knownIps);
  });
  const { priorityClassName, runtimeClassName, preemptionPolicy, schedulingGroup } = spec;
  checkOptionalFormat(errors, path, 'priorityClassName', priorityClassName, dns1123SubdomainErrors);
  if (runtimeClassName !== undefined) {
    checkFormat(errors, path, 'runtimeClassName', runtimeClassName, dns1123SubdomainErrors);
  }
  if (preemptionPolicy !== undefined) {
    requireOneOf(errors, path, 'preemptionPolicy', preemptionPolicy, preemptionPolicies);
  }
  if (spec.overhead !== undefined) {
    const at = path.child('overhead.limits');
    checkResourceList(errors, at, spec.overhead, checkContainerResourceName);
  }
  if (schedulingGroup === undefined) return;
  const at = path.child('schedulingGroup');
  if (schedulingGroup.podGroupName === undefined) {
    errors.invalid(at, 'podGroupName', '', 'must specify one of: `podGroupName`');
  } else {
    checkFormat(errors, at, 'podGroupName', schedulingGroup.podGroupName, dns1123SubdomainErrors);
  }
}

function checkHostnameOverride(errors: ErrorList, path: FieldPath, spec: Spec): void {
  const field = 'hostnameOverride';
  if (spec.setHostnameAsFQDN === true) {
    errors.forbidden(path, field, 'may not be specified when setHostnameAsFQDN is true');
  }
  if (spec.hostNetwork === true) {
    errors.forbidden(path, field, 'may not be specified when hostNetwork is true');
  }
  checkMaxBytes(errors, path, field, spec.hostnameOverride, 64);
  checkFormat(errors, path, field, spec.hostnameOverride, dns1123SubdomainErrors);
}

function checkHostAlias(
  errors: ErrorList,
  path: FieldPath,
  { ip, hostnames }: Unchecked<HostAlias>,
  stored: ReadonlyArray<string | undefined> | undefined,
): void {
  checkLegacyIp(errors, path, 'ip', ip, stored);
  checkEachFormat(errors, path.child('hostnames'), hostnames, dns1123SubdomainErrors);
}

/** Files that variables are read from lie in an emptyDir of the pod. */
function checkFileKeys(errors: ErrorList, path: FieldPath, { spec, volumes }: PodContext): void {
  forEachContainer(spec, path, ({ env = [] }, at) => {
    for (let index = 0; index < env.length; index++) {
      const ref = env[index]?.valueFrom?.fileKeyRef;
      if (ref === undefined) continue;
      const name = ref.volumeName ?? '';
      const volume = volumes.get(name);
      const place = at.child('env').at(index).child('valueFrom.fileKeyRef');
      if (volume === undefined) errors.notFound(place, 'volumeName', name);
      else if (volume.emptyDir === undefined) {
        const detail = 'referenced volume must be of type emptyDir';
        errors.invalid(place, 'volumeName', name, detail);
      }
    }
  });
}
