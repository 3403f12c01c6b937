import { parseQuantity, milliValue, quantityValue } from '#base/quantity.ts';
import { compileNodeAffinity, podRequests, tolerates } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { containersOf, isStaticPod, specOf } from './names.ts';
import { sysctlProblem } from './sysctls.ts';

/** Why a pod cannot run here: reason and message of its status, without the prefix. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

export interface AdmissionInputs {
  readonly pod: Pod;
  readonly node: Node;
  /** Pods that take resources of this node already. */
  readonly active: readonly Pod[];
  readonly allowedUnsafeSysctls: readonly string[];
  /** False on machines whose kernel has none; undefined when nobody looked. */
  readonly hasAppArmor?: boolean | undefined;
}

/** Checks a pod once more where it is to run; the texts are upstream's. Pure. */
export function admitPod(inputs: AdmissionInputs): Rejection | undefined {
  return (
    checkOs(inputs) ??
    checkSysctls(inputs) ??
    checkAppArmor(inputs) ??
    checkGroupsPolicy(inputs) ??
    checkNodeName(inputs) ??
    checkAffinity(inputs) ??
    checkTaints(inputs) ??
    checkPorts(inputs) ??
    checkResources(inputs)
  );
}

function checkOs({ pod, node }: AdmissionInputs): Rejection | undefined {
  const os = specOf(pod).os?.name;
  if (os !== undefined && os !== 'linux') {
    return {
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    };
  }
  const wanted = specOf(pod).nodeSelector?.['kubernetes.io/os'];
  const own = node.metadata.labels?.['kubernetes.io/os'];
  if (wanted !== undefined && own !== undefined && wanted !== own) {
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  }
  return undefined;
}

function checkSysctls({ pod, allowedUnsafeSysctls }: AdmissionInputs): Rejection | undefined {
  const problem = sysctlProblem(pod, allowedUnsafeSysctls);
  if (problem === undefined) return undefined;
  return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${problem}` };
}

/** Profiles that the kernel cannot enforce; unconfined pods need none. */
function checkAppArmor({ pod, hasAppArmor }: AdmissionInputs): Rejection | undefined {
  if (hasAppArmor !== false) return undefined;
  const profiles = [
    specOf(pod).securityContext?.appArmorProfile,
    ...containersOf(pod).map(({ container }) => container.securityContext?.appArmorProfile),
  ];
  if (!profiles.some((profile) => profile !== undefined && profile.type !== 'Unconfined')) {
    return undefined;
  }
  return {
    reason: 'AppArmor',
    message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  };
}

function checkGroupsPolicy({ pod, node }: AdmissionInputs): Rejection | undefined {
  if (specOf(pod).securityContext?.supplementalGroupsPolicy !== 'Strict') return undefined;
  if (node.status?.features?.supplementalGroupsPolicy === true) return undefined;
  return {
    reason: 'SupplementalGroupsPolicyNotSupported',
    message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
  };
}

function checkNodeName({ pod, node }: AdmissionInputs): Rejection | undefined {
  const wanted = specOf(pod).nodeName ?? '';
  if (wanted === '' || wanted === node.metadata.name) return undefined;
  return {
    reason: 'NodeName',
    message: "Predicate NodeName failed: node(s) didn't match the requested node name",
  };
}

function checkAffinity({ pod, node }: AdmissionInputs): Rejection | undefined {
  if (compileNodeAffinity(pod)?.(node) !== false) return undefined;
  return {
    reason: 'NodeAffinity',
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  };
}

function checkTaints({ pod, node }: AdmissionInputs): Rejection | undefined {
  if (isStaticPod(pod)) return undefined;
  const tolerations = specOf(pod).tolerations ?? [];
  for (const taint of node.spec?.taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    if (tolerates(tolerations, taint)) continue;
    const shown = taint.value === undefined ? taint.key : `${taint.key}: ${taint.value}`;
    return {
      reason: 'TaintToleration',
      message: `Predicate TaintToleration failed: node(s) had untolerated taint {${shown}}`,
    };
  }
  return undefined;
}

function checkPorts({ pod, active }: AdmissionInputs): Rejection | undefined {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return undefined;
  const taken = active.flatMap(hostPorts);
  const isTaken = wanted.some((port) => taken.some((other) => portsConflict(port, other)));
  if (!isTaken) return undefined;
  return {
    reason: 'NodePorts',
    message:
      "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  };
}

interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

function hostPorts(pod: Pod): HostPort[] {
  const spec = specOf(pod);
  const sidecars = (spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
  return [...sidecars, ...spec.containers].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostIP = '0.0.0.0', protocol = 'TCP', hostPort = 0 }) => ({
        ip: hostIP === '' ? '0.0.0.0' : hostIP,
        protocol,
        port: hostPort,
      })),
  );
}

function portsConflict(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0';
}

/** Whether the node has room for the pod beside the active ones. */
export function checkResources({
  pod,
  node,
  active,
}: Pick<AdmissionInputs, 'pod' | 'node' | 'active'>): Rejection | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const podCount = allocatable['pods'];
  if (podCount !== undefined && active.length + 1 > quantityValue(parseQuantity(podCount))) {
    return outOf('pods', 1, active.length, quantityValue(parseQuantity(podCount)));
  }
  const used = new Map<string, number>();
  for (const other of active) {
    for (const [name, value] of podRequests(other)) used.set(name, (used.get(name) ?? 0) + value);
  }
  for (const [name, requested] of podRequests(pod)) {
    const text = allocatable[name];
    // What the node does not know at all was checked by the scheduler: static pods pass.
    if (requested === 0 || text === undefined) continue;
    const quantity = parseQuantity(text);
    const capacity = name === 'cpu' ? milliValue(quantity) : quantityValue(quantity);
    const inUse = used.get(name) ?? 0;
    if (inUse + requested > capacity) return outOf(name, requested, inUse, capacity);
  }
  return undefined;
}

function outOf(resource: string, requested: number, used: number, capacity: number): Rejection {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}
