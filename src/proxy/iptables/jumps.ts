import type { Iptables } from '#host/iptables.ts';
import type { Table } from './rule-set.ts';

interface Jump {
  readonly table: Table;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly isNewOnly: boolean;
}

const jump = (table: Table, from: string, to: string, text: string, isNewOnly = false): Jump => ({
  table,
  from,
  to,
  text,
  isNewOnly,
});

const portals = 'kubernetes service portals';
const external = 'kubernetes externally-visible service portals';
const firewall = 'kubernetes load balancer firewall';

/** Where the proxy's chains hang in the kernel's, in the order in which they are put in front. */
const jumps: readonly Jump[] = [
  jump('filter', 'INPUT', 'KUBE-EXTERNAL-SERVICES', external, true),
  jump('filter', 'FORWARD', 'KUBE-EXTERNAL-SERVICES', external, true),
  jump('filter', 'INPUT', 'KUBE-NODEPORTS', 'kubernetes health check service ports'),
  jump('filter', 'FORWARD', 'KUBE-SERVICES', portals, true),
  jump('filter', 'OUTPUT', 'KUBE-SERVICES', portals, true),
  jump('filter', 'FORWARD', 'KUBE-FORWARD', 'kubernetes forwarding rules'),
  jump('filter', 'INPUT', 'KUBE-PROXY-FIREWALL', firewall, true),
  jump('filter', 'OUTPUT', 'KUBE-PROXY-FIREWALL', firewall, true),
  jump('filter', 'FORWARD', 'KUBE-PROXY-FIREWALL', firewall, true),
  jump('nat', 'OUTPUT', 'KUBE-SERVICES', portals),
  jump('nat', 'PREROUTING', 'KUBE-SERVICES', portals),
  jump('nat', 'POSTROUTING', 'KUBE-POSTROUTING', 'kubernetes postrouting rules'),
];

const firewallJumps: readonly Jump[] = [
  jump('filter', 'INPUT', 'KUBE-FIREWALL', 'kubernetes node firewall'),
  jump('filter', 'OUTPUT', 'KUBE-FIREWALL', 'kubernetes node firewall'),
];

/**
 * Hangs the chains in front of the kernel's own, where they are not yet. One iptables-save tells
 * what is there, one restore adds the rest.
 */
export async function ensureJumps(iptables: Iptables): Promise<void> {
  const wanted = iptables.family === 4 ? [...jumps, ...firewallJumps] : jumps;
  const lines: string[] = [];
  for (const table of ['filter', 'nat'] as const) {
    const saved = await iptables.save(table);
    const missing = wanted.filter((entry) => entry.table === table && !isThere(saved, entry));
    if (missing.length === 0) continue;
    lines.push(`*${table}`, ...missing.map(renderJump), 'COMMIT');
  }
  if (lines.length > 0) await iptables.restore(`${lines.join('\n')}\n`);
}

function renderJump({ from, to, text, isNewOnly }: Jump): string {
  const state = isNewOnly ? '-m conntrack --ctstate NEW ' : '';
  return `-I ${from} ${state}-m comment --comment "${text}" -j ${to}`;
}

function isThere(saved: string, { from, to }: Jump): boolean {
  return saved
    .split('\n')
    .some((line) => line.startsWith(`-A ${from} `) && line.endsWith(`-j ${to}`));
}
