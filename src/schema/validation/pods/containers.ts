import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
} from '../../generated/types.ts';
import {
  checkFormat,
  checkMaxItems,
  checkOneOf,
  requireFormat,
  requireOneOf,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors } from '../formats/names.ts';
import { checkPort, portNameErrors } from '../formats/ports.ts';
import { checkContainerResourceName } from '../shared/resource-names.ts';
import { checkResourceRequirements } from '../shared/resource-requirements.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import type { PodContext } from './context.ts';
import { checkEnv, checkEnvFrom } from './env.ts';
import { checkMounts } from './mounts.ts';
import { checkLifecycle, checkProbe } from './probes.ts';
import { checkSecurityContext } from './security.ts';

type ContainerIn = Unchecked<Container>;

export const portProtocols: readonly string[] = ['SCTP', 'TCP', 'UDP'];
export const pullPolicies: readonly string[] = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['File', 'FallbackToLogsOnError'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];
const resizableResources = ['cpu', 'memory'];
const resizePolicies = ['NotRequired', 'RestartContainer'];
const restartActions = ['Restart', 'RestartAllContainers'];
const exitCodeOperators = ['In', 'NotIn'];
const probeFields = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/** All containers of a pod. A name may be used once among them. */
export function checkContainers(errors: ErrorList, specPath: FieldPath, context: PodContext): void {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = context.spec;
  const names = new Set<string>();
  const path = specPath.child('containers');
  if (containers.length === 0) errors.required(path, '');
  for (let index = 0; index < containers.length; index++) {
    checkMain(errors, path.at(index), containers[index] ?? {}, names, context);
  }
  checkHostPorts(errors, path, containers);
  if (initContainers.length > 0) {
    const initPath = specPath.child('initContainers');
    initContainers.forEach((container, index) => {
      checkInit(errors, initPath.at(index), container, names, context);
      checkHostPorts(errors, initPath, [container]);
    });
  }
  if (ephemeralContainers.length === 0) return;
  const targets = new Set(names);
  const ephemeralPath = specPath.child('ephemeralContainers');
  ephemeralContainers.forEach((container, index) => {
    checkEphemeral(errors, ephemeralPath.at(index), container, names, targets, context);
  });
}

function checkCommon(
  errors: ErrorList,
  path: FieldPath,
  container: ContainerIn,
  context: PodContext,
): void {
  requireFormat(errors, path, 'name', container.name, dns1123LabelErrors);
  requireText(errors, path, 'image', container.image);
  const { terminationMessagePolicy, imagePullPolicy } = container;
  requireOneOf(errors, path, 'terminationMessagePolicy', terminationMessagePolicy, messagePolicies);
  if (container.ports !== undefined) checkPorts(errors, path.child('ports'), container.ports);
  if (container.env !== undefined) checkEnv(errors, path.child('env'), container.env);
  if (container.envFrom !== undefined) {
    checkEnvFrom(errors, path.child('envFrom'), container.envFrom);
  }
  checkMounts(errors, path, container, context);
  requireOneOf(errors, path, 'imagePullPolicy', imagePullPolicy, pullPolicies);
  if (container.resources !== undefined) {
    const at = path.child('resources');
    const { claimNames } = context;
    const { resources } = container;
    checkResourceRequirements(errors, at, resources, checkContainerResourceName, claimNames);
  }
  if (container.resizePolicy !== undefined) {
    checkResizePolicies(errors, path.child('resizePolicy'), container.resizePolicy, context);
  }
  if (container.securityContext !== undefined) {
    const at = path.child('securityContext');
    checkSecurityContext(errors, at, container.securityContext, context);
  }
}

function checkName(
  errors: ErrorList,
  path: FieldPath,
  name: string | undefined,
  names: Set<string>,
): void {
  if (name === undefined || name === '') return;
  if (names.has(name)) errors.duplicate(path, 'name', name);
  names.add(name);
}

function checkMain(
  errors: ErrorList,
  path: FieldPath,
  container: ContainerIn,
  names: Set<string>,
  context: PodContext,
): void {
  checkCommon(errors, path, container, context);
  checkName(errors, path, container.name, names);
  checkHooks(errors, path, container, context);
  checkRestart(errors, path, container);
}

function checkHooks(
  errors: ErrorList,
  path: FieldPath,
  container: ContainerIn,
  context: PodContext,
): void {
  if (container.lifecycle !== undefined) {
    checkLifecycle(errors, path.child('lifecycle'), container.lifecycle, context);
  }
  checkProbe(errors, path, 'livenessProbe', container.livenessProbe);
  checkProbe(errors, path, 'readinessProbe', container.readinessProbe);
  checkProbe(errors, path, 'startupProbe', container.startupProbe);
}

function checkInit(
  errors: ErrorList,
  path: FieldPath,
  container: ContainerIn,
  names: Set<string>,
  context: PodContext,
): void {
  checkCommon(errors, path, container, context);
  checkRestart(errors, path, container);
  checkName(errors, path, container.name, names);
  if (container.restartPolicy === 'Always') {
    checkHooks(errors, path, container, context);
    return;
  }
  const detail = 'may not be set for init containers without restartPolicy=Always';
  for (const field of ['lifecycle', ...probeFields] as const) {
    if (container[field] !== undefined) errors.forbidden(path, field, detail);
  }
  (container.resizePolicy ?? []).forEach(({ restartPolicy }, index) => {
    if (restartPolicy !== 'RestartContainer') return;
    const text = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    errors.invalid(path.child('resizePolicy').at(index), 'restartPolicy', restartPolicy, text);
  });
}

const ephemeralForbidden = [
  'ports',
  'resources',
  ...probeFields,
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

function checkEphemeral(
  errors: ErrorList,
  path: FieldPath,
  container: Unchecked<EphemeralContainer>,
  names: Set<string>,
  targets: ReadonlySet<string>,
  context: PodContext,
): void {
  checkCommon(errors, path, container, context);
  checkImageBlanks(errors, path, container.image);
  checkName(errors, path, container.name, names);
  const { targetContainerName: target = '' } = container;
  if (target !== '' && !targets.has(target)) errors.notFound(path, 'targetContainerName', target);
  const detail = 'cannot be set for an Ephemeral Container';
  for (const field of ephemeralForbidden) {
    if (!isEmpty(container[field])) errors.forbidden(path, field, detail);
  }
  (container.volumeMounts ?? []).forEach((mount, index) => {
    const at = path.child('volumeMounts').at(index);
    if ((mount.subPath ?? '') !== '') errors.forbidden(at, 'subPath', detail);
    if ((mount.subPathExpr ?? '') !== '') errors.forbidden(at, 'subPathExpr', detail);
  });
}

export function checkImageBlanks(
  errors: ErrorList,
  path: FieldPath,
  image: string | undefined,
): void {
  if (image === undefined || image === image.trim()) return;
  errors.invalid(path, 'image', image, 'must not have leading or trailing whitespace');
}

function checkPorts(
  errors: ErrorList,
  path: FieldPath,
  ports: ReadonlyArray<Unchecked<ContainerPort>>,
): void {
  const names = ports.length > 1 ? new Set<string>() : undefined;
  for (let index = 0; index < ports.length; index++) {
    const { name = '', containerPort = 0, hostPort = 0, protocol } = ports[index] ?? {};
    const at = path.at(index);
    if (name !== '') {
      const before = errors.count;
      checkFormat(errors, at, 'name', name, portNameErrors);
      if (errors.count === before) {
        if (names?.has(name) === true) errors.duplicate(at, 'name', name);
        names?.add(name);
      }
    }
    if (containerPort === 0) errors.required(at, 'containerPort');
    else checkPort(errors, at, 'containerPort', containerPort);
    if (hostPort !== 0) checkPort(errors, at, 'hostPort', hostPort);
    requireOneOf(errors, at, 'protocol', protocol, portProtocols);
  }
}

/** A port of the host goes to one container. */
function checkHostPorts(
  errors: ErrorList,
  list: FieldPath,
  containers: readonly ContainerIn[],
): void {
  let seen: Set<string> | undefined;
  for (let index = 0; index < containers.length; index++) {
    const ports = containers[index]?.ports ?? [];
    for (let place = 0; place < ports.length; place++) {
      const { hostPort = 0, hostIP = '', protocol = '' } = ports[place] ?? {};
      if (hostPort === 0) continue;
      seen ??= new Set();
      const key = `${protocol}/${hostIP}/${hostPort}`;
      const at = list.at(index).child('ports').at(place);
      if (seen.has(key)) errors.duplicate(at, 'hostPort', key);
      seen.add(key);
    }
  }
}

/** Reported at the list, as upstream does. */
function checkResizePolicies(
  errors: ErrorList,
  path: FieldPath,
  policies: ReadonlyArray<Unchecked<ContainerResizePolicy>>,
  { spec }: PodContext,
): void {
  const seen = new Set<string>();
  policies.forEach(({ resourceName = '', restartPolicy = '' }, index) => {
    if (seen.has(resourceName)) errors.duplicate(path, index, resourceName);
    seen.add(resourceName);
    requireOneOf(errors, path, '', resourceName, resizableResources);
    requireOneOf(errors, path, '', restartPolicy, resizePolicies);
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.invalid(path, '', restartPolicy, detail);
    }
  });
}

function checkRestart(errors: ErrorList, path: FieldPath, container: ContainerIn): void {
  const { restartPolicy, restartPolicyRules: rules } = container;
  if (restartPolicy === undefined) {
    if (isEmpty(rules)) return;
    errors.required(
      path,
      'restartPolicy',
      'must specify restartPolicy when restart rules are used',
    );
  }
  checkOneOf(errors, path, 'restartPolicy', restartPolicy, restartPolicies);
  if (rules === undefined) return;
  checkMaxItems(errors, path, 'restartPolicyRules', rules, 20);
  rules.forEach(({ action = '', exitCodes }, index) => {
    const at = path.child('restartPolicyRules').at(index);
    checkOneOf(errors, at, 'action', action, restartActions);
    if (exitCodes === undefined) {
      errors.required(at, 'exitCodes', 'must be specified');
      return;
    }
    checkOneOf(errors, at, 'exitCodes.operator', exitCodes.operator ?? '', exitCodeOperators);
    checkMaxItems(errors, at, 'exitCodes.values', exitCodes.values, 255);
  });
}
