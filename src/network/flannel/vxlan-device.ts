import { CommandError, runCommand } from '#host/process.ts';
import { K3tsError } from '#base/errors.ts';

const timeoutMs = 10_000;
const name = 'flannel.1';
const vni = 1;
const udpPort = 8472;
/** Outer Ethernet, IP, UDP and VXLAN headers. */
export const vxlanOverheadBytes = 50;

export interface VxlanDevice {
  readonly name: string;
  readonly macAddress: string;
}

/** A link as `ip -json -details link show` prints it, as far as it matters here. */
interface Link {
  readonly address?: string;
  readonly mtu?: number;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: { readonly id?: number; readonly port?: number; readonly local?: string };
  };
}

/**
 * Makes flannel's device, or keeps one that fits, with the node's first pod address as its own.
 * Peers are added by route, ARP and FDB entries, so the device does not learn.
 */
export async function ensureVxlanDevice(options: {
  /** Address of this node that peers send to, and its interface. */
  nodeIp: string;
  interfaceName: string;
  /** `10.42.0.0/32`. */
  address: string;
  mtu: number;
}): Promise<VxlanDevice> {
  const { nodeIp, interfaceName, address, mtu } = options;
  const existing = await showLink();
  const data = existing?.linkinfo?.info_data;
  const fits =
    existing?.linkinfo?.info_kind === 'vxlan' &&
    data?.id === vni &&
    data.port === udpPort &&
    data.local === nodeIp;
  if (existing !== undefined && !fits) await ip(['link', 'delete', name]);
  if (!fits) {
    const type = ['type', 'vxlan', 'id', String(vni), 'dev', interfaceName, 'local', nodeIp];
    try {
      await ip(['link', 'add', name, ...type, 'dstport', String(udpPort), 'nolearning']);
    } catch (error) {
      throw new K3tsError(
        'VxlanMissing',
        'cannot make the VXLAN device flannel.1; does the kernel have vxlan? ' +
          '(k3ts check-config tells; --flannel-backend=none does without)',
        { cause: error },
      );
    }
  }
  await ip(['link', 'set', name, 'mtu', String(mtu), 'up']);
  await ip(['address', 'replace', address, 'dev', name]);
  const link = await showLink();
  return { name, macAddress: link?.address ?? '' };
}

async function showLink(): Promise<Link | undefined> {
  try {
    const { stdout } = await runCommand({
      command: 'ip',
      args: ['-json', '-details', 'link', 'show', 'dev', name],
      timeoutMs,
    });
    return (JSON.parse(stdout) as Link[])[0];
  } catch (error) {
    if (error instanceof CommandError && error.failure === 'exit') return undefined;
    throw error;
  }
}

async function ip(args: readonly string[]): Promise<void> {
  await runCommand({ command: 'ip', args, timeoutMs });
}
