import { readFile } from 'node:fs/promises';

/** Bits of the capabilities that k3ts behaves differently without. */
export const capabilityBits = {
  netAdmin: 12,
  sysAdmin: 21,
  sysResource: 24,
  bpf: 39,
} as const;

/** Whether a /proc/<pid>/status text has the capability in its effective set. */
export function hasCapabilityIn(status: string, bit: number): boolean {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${hex}`) >> BigInt(bit)) & 1n) === 1n;
}

/** Whether this process has a capability now. */
export async function hasCapability(name: keyof typeof capabilityBits): Promise<boolean> {
  return hasCapabilityIn(await readFile('/proc/self/status', 'utf8'), capabilityBits[name]);
}
