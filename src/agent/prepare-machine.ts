import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { ensureModule } from '#host/kernel-modules.ts';
import { readSysctl, writeSysctl } from '#host/sysctl.ts';

const modules = ['overlay', 'nf_conntrack', 'br_netfilter', 'iptable_nat', 'iptable_filter'];

/** What pods' traffic needs of the kernel, as k3s sets it. */
const sysctls: readonly (readonly [string, string])[] = [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv4.conf.all.forwarding', '1'],
  ['net.ipv4.conf.default.forwarding', '1'],
  ['net.bridge.bridge-nf-call-iptables', '1'],
];
const sysctlsV6: readonly (readonly [string, string])[] = [
  ['net.ipv6.conf.all.forwarding', '1'],
  ['net.ipv6.conf.default.forwarding', '1'],
  ['net.bridge.bridge-nf-call-ip6tables', '1'],
];

/** Loads modules and sets sysctls; what cannot be done is a warning, because it may not matter. */
export async function prepareMachine(options: { hasIpv6: boolean; log: Logger }): Promise<void> {
  const { hasIpv6, log } = options;
  await Promise.all(modules.map((name) => ensureModule(name)));
  for (const [name, value] of hasIpv6 ? [...sysctls, ...sysctlsV6] : sysctls) {
    try {
      if ((await readSysctl(name)) === undefined) {
        log.warning('The kernel lacks a setting that pods may need', { sysctl: name });
        continue;
      }
      await writeSysctl(name, value);
    } catch (error) {
      log.warning('Cannot set a sysctl', { sysctl: name, error: messageOf(error) });
    }
  }
}
