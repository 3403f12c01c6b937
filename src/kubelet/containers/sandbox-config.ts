import type { Pod } from '#schema/types.ts';
import type { DnsConfig, PodSandboxConfig, PortMapping, UserNamespace } from '../cri/mod.ts';
import {
  containersOf,
  namespaceOf,
  podLogDirectory,
  runtimeLabels,
  specOf,
  uidOf,
} from '../pods/names.ts';
import { amountValue } from '../pods/resources.ts';
import { cpuQuota, cpuShares } from './linux-resources.ts';
import { sandboxSecurityContext } from './security.ts';

export interface SandboxConfigOptions {
  readonly pod: Pod;
  readonly attempt: number;
  readonly hostname: string;
  readonly dns: DnsConfig;
  readonly podLogsRoot: string;
  readonly cgroupParent: string;
  readonly userNamespace?: UserNamespace | undefined;
}

/** The sandbox of a pod as the runtime wants it described. */
export function sandboxConfig(options: SandboxConfigOptions): PodSandboxConfig {
  const { pod, attempt, hostname, dns } = options;
  const { name, labels, annotations } = pod.metadata;
  const uid = uidOf(pod);
  const namespace = namespaceOf(pod);
  const spec = specOf(pod);
  const sysctls = spec.securityContext?.sysctls ?? [];
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: spec.hostNetwork === true ? '' : hostname,
    logDirectory: podLogDirectory(options.podLogsRoot, pod),
    dnsConfig: dns,
    portMappings: spec.hostNetwork === true ? [] : portMappings(pod),
    labels: {
      ...labels,
      [runtimeLabels.podName]: name,
      [runtimeLabels.podNamespace]: namespace,
      [runtimeLabels.podUid]: uid,
    },
    annotations: { ...annotations },
    linux: {
      cgroupParent: options.cgroupParent,
      securityContext: sandboxSecurityContext(pod, options.userNamespace),
      sysctls: Object.fromEntries(sysctls.map((sysctl) => [sysctl.name, sysctl.value])),
      ...overheadOf(pod),
    },
  };
}

function overheadOf(pod: Pod): Pick<PodSandboxConfig['linux'], 'overhead'> {
  const { overhead } = specOf(pod);
  if (overhead === undefined) return {};
  const cpu = amountValue(overhead, 'cpu');
  const memory = amountValue(overhead, 'memory');
  return {
    overhead: {
      cpuShares: cpuShares(cpu),
      ...(cpu > 0 ? { cpuQuota: cpuQuota(cpu), cpuPeriod: 100_000 } : {}),
      ...(memory > 0 ? { memoryLimitInBytes: memory } : {}),
    },
  };
}

const protocols = new Set(['TCP', 'UDP', 'SCTP']);

/** Every declared port; the network plugin only acts on those with a host port. */
export function portMappings(pod: Pod): PortMapping[] {
  return containersOf(pod).flatMap(({ container }) =>
    (container.ports ?? []).map((port) => {
      const protocol = port.protocol ?? 'TCP';
      return {
        protocol: (protocols.has(protocol) ? protocol : 'TCP') as PortMapping['protocol'],
        containerPort: port.containerPort,
        hostPort: port.hostPort ?? 0,
        hostIp: port.hostIP ?? '',
      };
    }),
  );
}
