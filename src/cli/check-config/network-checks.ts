import { CommandError, runCommand } from '#host/process.ts';
import { detectIptables } from '#host/iptables.ts';
import { defaultRoute } from '#host/interfaces.ts';
import { ensureModule } from '#host/kernel-modules.ts';
import { readSysctl } from '#host/sysctl.ts';
import { messageOf } from '#base/errors.ts';
import { limited, missing, ok } from './check.ts';
import type { Check, CheckResult } from './check.ts';

const timeoutMs = 10_000;

/** Makes a link of this type in a network namespace that ends with the command. */
async function tryLink(type: readonly string[]): Promise<boolean> {
  try {
    await runCommand({
      command: 'unshare',
      args: ['-n', 'ip', 'link', 'add', 'k3ts-check', 'type', ...type],
      timeoutMs,
    });
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

function linkCheck(name: string, type: readonly string[], whenMissing: CheckResult): Check {
  return {
    group: 'network',
    name,
    run: async () => ((await tryLink(type)) ? ok('available') : whenMissing),
  };
}

export const networkChecks: readonly Check[] = [
  linkCheck('bridge', ['bridge'], missing('missing', 'pods get no network')),
  linkCheck('veth', ['veth'], missing('missing', 'pods get no network')),
  linkCheck(
    'vxlan',
    ['vxlan', 'id', '1', 'dstport', '8472'],
    limited('missing', 'pods reach pods of this node only: --flannel-backend=vxlan needs it'),
  ),
  linkCheck(
    'wireguard',
    ['wireguard'],
    limited('missing', '--flannel-backend=wireguard-native cannot be used'),
  ),
  {
    group: 'network',
    name: 'br_netfilter',
    async run() {
      await ensureModule('br_netfilter');
      const value = await readSysctl('net.bridge.bridge-nf-call-iptables');
      if (value !== undefined) return ok(`bridge-nf-call-iptables = ${value}`);
      return limited('missing', 'a pod cannot reach itself or its neighbours through a Service');
    },
  },
  {
    group: 'network',
    name: 'iptables',
    async run() {
      try {
        const { version, variant } = await detectIptables();
        return ok(`${version} (${variant})`);
      } catch (error) {
        return missing('missing', messageOf(error));
      }
    },
  },
  {
    group: 'network',
    name: 'forwarding',
    async run() {
      const value = await readSysctl('net.ipv4.ip_forward');
      if (value === '1') return ok('on');
      return ok('off; k3ts turns it on');
    },
  },
  {
    group: 'network',
    name: 'default route',
    async run() {
      const route = await defaultRoute();
      if (route !== undefined) return ok(`over ${route.interfaceName}`);
      return limited('none', 'set --node-ip, as the node address cannot be found out');
    },
  },
  {
    group: 'network',
    name: 'IP_VS',
    async run() {
      const state = await ensureModule('ip_vs');
      if (state !== 'missing') return ok(state);
      return limited('missing', 'the service proxy runs in iptables mode only');
    },
  },
];
