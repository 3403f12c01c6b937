/** Facts about the machine that the Node object shows; read once at the start (host/machine.ts). */
export interface MachineInfo {
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly swapBytes?: number | undefined;
  /** Page size in KiB to total bytes. */
  readonly hugePages?: ReadonlyMap<number, number> | undefined;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** The kernel enforces AppArmor profiles; undefined when nobody looked. */
  readonly hasAppArmor?: boolean | undefined;
  /** Go's names: amd64, arm64. */
  readonly architecture: string;
}

/** Sizes of the machine's huge pages in the kernel's words: `2MB`, `1GB`. */
export function hugePageSizes({ hugePages }: Pick<MachineInfo, 'hugePages'>): string[] {
  return [...(hugePages?.keys() ?? [])].map((kib) => {
    if (kib >= 2 ** 20) return `${kib / 2 ** 20}GB`;
    return kib >= 1024 ? `${kib / 1024}MB` : `${kib}KB`;
  });
}

export interface FilesystemState {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** What of the machine is in use now; drives pressure conditions, eviction and image collection. */
export interface MachineUsage {
  readonly memoryAvailableBytes: number;
  readonly nodeFs: FilesystemState;
  readonly imageFs: FilesystemState;
  readonly maxPid: number;
  readonly processCount: number;
}
