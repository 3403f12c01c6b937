/** What the kubelet reports about the machine; read once at the start, except the functions. */
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
  /** Go's names: amd64, arm64. */
  readonly architecture: string;
  readonly operatingSystem: string;
  /** Usage now; a call may touch the disk. */
  usage(): Promise<MachineUsage>;
}

export interface FilesystemUsage {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

export interface MachineUsage {
  readonly memoryAvailableBytes: number;
  readonly nodeFs: FilesystemUsage;
  readonly imageFs: FilesystemUsage;
  readonly maxPid: number;
  readonly processCount: number;
}
