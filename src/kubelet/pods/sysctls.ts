import type { Pod } from '#schema/types.ts';
import { specOf } from './names.ts';

/** Set by pods without asking: they act within the pod and harm nobody else. */
const safe = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

/** Which namespace a sysctl belongs to; others are those of the whole machine. */
const namespaces: readonly [prefix: string, namespace: 'ipc' | 'net'][] = [
  ['kernel.sem', 'ipc'],
  ['kernel.shm', 'ipc'],
  ['kernel.msg', 'ipc'],
  ['fs.mqueue.', 'ipc'],
  ['net.', 'net'],
];

/** Why a pod's sysctls cannot be set, in upstream's words; undefined when they can. */
export function sysctlProblem(pod: Pod, allowed: readonly string[]): string | undefined {
  const spec = specOf(pod);
  for (const { name: written } of spec.securityContext?.sysctls ?? []) {
    const name = withDots(written);
    const isAllowed = allowed.some((pattern) =>
      pattern.endsWith('*')
        ? name.startsWith(withDots(pattern.slice(0, -1)))
        : name === withDots(pattern),
    );
    if (!safe.has(name) && !isAllowed) return `"${name}" not allowlisted`;
    const namespace = namespaces.find(([prefix]) => name.startsWith(prefix))?.[1];
    if (namespace === 'ipc' && spec.hostIPC === true) {
      return `"${name}" not allowed with host ipc enabled`;
    }
    if (namespace === 'net' && spec.hostNetwork === true) {
      return `"${name}" not allowed with host net enabled`;
    }
  }
  return undefined;
}

/** `net/ipv4/conf/eth0.1/rp_filter` is `net.ipv4.conf.eth0/1.rp_filter`. */
function withDots(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== '/') return name;
  return name.replace(/[./]/g, (found) => (found === '/' ? '.' : '/'));
}
