import type { Container } from '#schema/types.ts';

import { containersWith, named, quoted } from './pod-security-checks.ts';
import type { CheckedPod, Finding, PodSecurityCheck } from './pod-security-checks.ts';

const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** Sysctls that are namespaced and safe, with the first minor version that allows them. */
const safeSysctls = new Map<string, number>([
  ['kernel.shm_rmid_forced', 0],
  ['net.ipv4.ip_local_port_range', 0],
  ['net.ipv4.tcp_syncookies', 0],
  ['net.ipv4.ping_group_range', 0],
  ['net.ipv4.ip_unprivileged_port_start', 0],
  ['net.ipv4.ip_local_reserved_ports', 27],
  ['net.ipv4.tcp_keepalive_time', 29],
  ['net.ipv4.tcp_fin_timeout', 29],
  ['net.ipv4.tcp_keepalive_intvl', 29],
  ['net.ipv4.tcp_keepalive_probes', 29],
  ['net.ipv4.tcp_rmem', 32],
  ['net.ipv4.tcp_wmem', 32],
]);

const when = (isBad: boolean, reason: string, detail: () => string): Finding | undefined =>
  isBad ? { reason, detail: detail() } : undefined;

/** What known ways to break out of a container need; in order of id. */
export const baselineChecks: readonly PodSecurityCheck[] = [
  {
    id: 'appArmorProfile',
    level: 'baseline',
    find: findAppArmor,
  },
  {
    id: 'capabilities_baseline',
    level: 'baseline',
    find(pod) {
      const added = new Set<string>();
      const names = containersWith(pod, (context) => {
        const bad = (context?.capabilities?.add ?? []).filter(
          (capability) => !defaultCapabilities.has(capability),
        );
        for (const capability of bad) added.add(capability);
        return bad.length > 0;
      });
      return when(
        names.length > 0,
        'non-default capabilities',
        () =>
          `${named('container', names)} must not include ${quoted([...added].sort())} in securityContext.capabilities.add`,
      );
    },
  },
  {
    id: 'hostNamespaces',
    level: 'baseline',
    find({ spec }) {
      const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((key) => spec[key]);
      return when(used.length > 0, 'host namespaces', () =>
        used.map((key) => `${key}=true`).join(', '),
      );
    },
  },
  {
    id: 'hostPathVolumes',
    level: 'baseline',
    find({ spec }) {
      const names = (spec.volumes ?? [])
        .filter((volume) => volume.hostPath !== undefined)
        .map((volume) => volume.name);
      return when(names.length > 0, 'hostPath volumes', () => named('volume', names));
    },
  },
  {
    id: 'hostPorts',
    level: 'baseline',
    find(pod) {
      const ports = new Set<number>();
      const names: string[] = [];
      for (const container of pod.containers) {
        const own = (container.ports ?? [])
          .map((port) => port.hostPort ?? 0)
          .filter((p) => p !== 0);
        for (const port of own) ports.add(port);
        if (own.length > 0) names.push(container.name);
      }
      const verb = names.length === 1 ? 'uses' : 'use';
      return when(
        names.length > 0,
        'hostPort',
        () =>
          `${named('container', names)} ${verb} hostPort${ports.size === 1 ? '' : 's'} ${[...ports].sort((a, b) => a - b).join(', ')}`,
      );
    },
  },
  { id: 'hostProbesAndHostLifecycle', level: 'baseline', from: 34, find: findProbeHosts },
  {
    id: 'privileged',
    level: 'baseline',
    find(pod) {
      const names = containersWith(pod, (context) => context?.privileged === true);
      return when(
        names.length > 0,
        'privileged',
        () => `${named('container', names)} must not set securityContext.privileged=true`,
      );
    },
  },
  { id: 'procMount', level: 'baseline', find: findProcMount },
  { id: 'seLinuxOptions', level: 'baseline', find: findSelinux },
  {
    id: 'seccompProfile_baseline',
    level: 'baseline',
    find(pod) {
      const names = containersWith(
        pod,
        (context) => context?.seccompProfile?.type === 'Unconfined',
      );
      const isPod = pod.spec.securityContext?.seccompProfile?.type === 'Unconfined';
      const who = [
        ...(isPod ? ['pod'] : []),
        ...(names.length > 0 ? [named('container', names)] : []),
      ];
      return when(
        who.length > 0,
        'seccompProfile',
        () =>
          `${who.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"`,
      );
    },
  },
  {
    id: 'sysctls',
    level: 'baseline',
    find({ spec }, minor) {
      const names = (spec.securityContext?.sysctls ?? [])
        .map((sysctl) => sysctl.name)
        .filter((name) => {
          const from = safeSysctls.get(name);
          return from === undefined || from > minor;
        });
      return when(names.length > 0, 'forbidden sysctls', () => names.join(', '));
    },
  },
  {
    id: 'windowsHostProcess',
    level: 'baseline',
    find(pod) {
      const names = containersWith(pod, (context) => context?.windowsOptions?.hostProcess === true);
      const isPod = pod.spec.securityContext?.windowsOptions?.hostProcess === true;
      const who = [
        ...(isPod ? ['pod'] : []),
        ...(names.length > 0 ? [named('container', names)] : []),
      ];
      return when(
        who.length > 0,
        'hostProcess',
        () => `${who.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
      );
    },
  },
];

/** Shared with the restricted level, where user namespaces make no difference. */
export function findProcMount(pod: CheckedPod, minor: number): Finding | undefined {
  if (minor >= 35 && pod.spec.hostUsers === false) return undefined;
  return findAnyProcMount(pod);
}

export function findAnyProcMount(pod: CheckedPod): Finding | undefined {
  const types = new Set<string>();
  const names = containersWith(pod, (context) => {
    const type = context?.procMount;
    if (type === undefined || type === 'Default') return false;
    types.add(type);
    return true;
  });
  return when(
    names.length > 0,
    'procMount',
    () =>
      `${named('container', names)} must not set securityContext.procMount to ${quoted([...types].sort())}`,
  );
}

function findAppArmor(pod: CheckedPod): Finding | undefined {
  const isAllowed = (type: string | undefined): boolean =>
    type === undefined || type === 'RuntimeDefault' || type === 'Localhost';
  const details: string[] = [];
  const types = new Set<string>();
  const podType = pod.spec.securityContext?.appArmorProfile?.type;
  const who: string[] = [];
  if (!isAllowed(podType)) {
    who.push('pod');
    types.add(podType ?? '');
  }
  const names = containersWith(pod, (context) => {
    const type = context?.appArmorProfile?.type;
    if (!isAllowed(type)) types.add(type ?? '');
    return !isAllowed(type);
  });
  if (names.length > 0) who.push(named('container', names));
  if (who.length > 0) {
    details.push(
      `${who.join(' and ')} must not set AppArmor profile type to ${quoted([...types].sort())}`,
    );
  }
  const annotations = Object.entries(pod.annotations ?? {})
    .filter(([key, value]) => {
      if (!key.startsWith('container.apparmor.security.beta.kubernetes.io/')) return false;
      return value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/');
    })
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  if (annotations.length > 0) {
    details.push(`annotation${annotations.length === 1 ? '' : 's'} ${annotations.join(', ')}`);
  }
  const reason = types.size + annotations.length > 1 ? 'profiles' : 'profile';
  return when(details.length > 0, `forbidden AppArmor ${reason}`, () => details.join('; '));
}

function findSelinux(pod: CheckedPod, minor: number): Finding | undefined {
  const allowed = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t']);
  if (minor >= 31) allowed.add('container_engine_t');
  const types = new Set<string>();
  let hasUser = false;
  let hasRole = false;
  type Options = {
    type?: string | undefined;
    user?: string | undefined;
    role?: string | undefined;
  };
  const isBad = (options: Options | undefined): boolean => {
    const type = options?.type ?? '';
    if (!allowed.has(type)) types.add(type);
    hasUser ||= (options?.user ?? '') !== '';
    hasRole ||= (options?.role ?? '') !== '';
    return !allowed.has(type) || (options?.user ?? '') !== '' || (options?.role ?? '') !== '';
  };
  const who = isBad(pod.spec.securityContext?.seLinuxOptions) ? ['pod'] : [];
  const names = containersWith(pod, (context) => isBad(context?.seLinuxOptions));
  if (names.length > 0) who.push(named('container', names));
  const parts = [
    ...(types.size === 0
      ? []
      : [`type${types.size === 1 ? '' : 's'} ${quoted([...types].sort())}`]),
    ...(hasUser ? ['user may not be set'] : []),
    ...(hasRole ? ['role may not be set'] : []),
  ];
  return when(
    who.length > 0,
    'seLinuxOptions',
    () => `${who.join(' and ')} set forbidden securityContext.seLinuxOptions: ${parts.join('; ')}`,
  );
}

function findProbeHosts(pod: CheckedPod): Finding | undefined {
  const hosts = new Set<string>();
  const names: string[] = [];
  for (const container of pod.containers as readonly Container[]) {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    const handlers = [
      livenessProbe,
      readinessProbe,
      startupProbe,
      lifecycle?.postStart,
      lifecycle?.preStop,
    ];
    const own = handlers
      .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
      .filter((host) => host !== undefined && host !== '');
    for (const host of own) hosts.add(host ?? '');
    if (own.length > 0) names.push(container.name);
  }
  const verb = names.length === 1 ? 'uses' : 'use';
  return when(
    names.length > 0,
    'probe or lifecycle host',
    () =>
      `${named('container', names)} ${verb} probe or lifecycle host${hosts.size === 1 ? '' : 's'} ${quoted([...hosts].sort())}`,
  );
}
