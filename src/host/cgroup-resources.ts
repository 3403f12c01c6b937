/** Limits of a cgroup in the terms of version 1, which are the terms of Kubernetes. */
export interface CgroupResources {
  cpuShares?: number | undefined;
  /** Microseconds of CPU a period; -1 takes the limit away. */
  cpuQuotaUs?: number | undefined;
  cpuPeriodUs?: number | undefined;
  /** -1 takes the limit away. */
  memoryLimitBytes?: number | undefined;
  pidsLimit?: number | undefined;
  /** Page size as the kernel writes it (`2MB`, `1GB`) to bytes. */
  hugepageLimits?: Readonly<Record<string, number>> | undefined;
  /** Version 2 files taken as they are (`memory.min`); ignored on version 1. */
  unified?: Readonly<Record<string, string>> | undefined;
}

/** A value for a file of the hierarchy of `controller`. */
export interface CgroupSetting {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

const minShares = 2;
const maxShares = 262_144;

/** cpu.shares for a request; a pod without one gets the least the kernel takes. */
export function cpuSharesFromMilli(milliCpu: number): number {
  if (milliCpu === 0) return minShares;
  return Math.min(Math.max(Math.floor((milliCpu * 1024) / 1000), minShares), maxShares);
}

/** CPU quota for a limit: at least 1 ms a period, as upstream; undefined without a limit. */
export function cpuQuotaFromMilli(milliCpu: number, periodUs = 100_000): number | undefined {
  if (milliCpu === 0) return undefined;
  return Math.max(Math.floor((milliCpu * periodUs) / 1000), 1000);
}

/** cpu.weight for cpu.shares by the quadratic rule of runc 1.3 and Kubernetes 1.35: 1024 is 100. */
export function cpuWeightFromShares(shares: number): number {
  if (shares <= minShares) return 1;
  if (shares >= maxShares) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

const unlimited = (value: number): string => (value < 0 ? 'max' : String(value));

/** The files to write, in an order the kernel accepts. */
export function cgroupSettings(resources: CgroupResources, version: 1 | 2): CgroupSetting[] {
  return version === 1 ? versionOne(resources) : versionTwo(resources);
}

function versionOne(resources: CgroupResources): CgroupSetting[] {
  const settings: CgroupSetting[] = [];
  const set = (controller: string, file: string, value: number | undefined): void => {
    if (value !== undefined) settings.push({ controller, file, value: String(value) });
  };
  set('cpu', 'cpu.shares', resources.cpuShares);
  set('cpu', 'cpu.cfs_period_us', resources.cpuPeriodUs);
  set('cpu', 'cpu.cfs_quota_us', resources.cpuQuotaUs);
  set('memory', 'memory.limit_in_bytes', resources.memoryLimitBytes);
  if (resources.pidsLimit !== undefined) {
    const value = unlimited(resources.pidsLimit);
    settings.push({ controller: 'pids', file: 'pids.max', value });
  }
  for (const [size, bytes] of Object.entries(resources.hugepageLimits ?? {})) {
    set('hugetlb', `hugetlb.${size}.limit_in_bytes`, bytes);
  }
  return settings;
}

function versionTwo(resources: CgroupResources): CgroupSetting[] {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes, pidsLimit } = resources;
  const settings: CgroupSetting[] = [];
  const set = (controller: string, file: string, value: string): void =>
    void settings.push({ controller, file, value });
  if (cpuShares !== undefined) set('cpu', 'cpu.weight', String(cpuWeightFromShares(cpuShares)));
  if (cpuQuotaUs !== undefined) {
    set('cpu', 'cpu.max', `${unlimited(cpuQuotaUs)} ${cpuPeriodUs ?? 100_000}`);
  }
  if (memoryLimitBytes !== undefined) set('memory', 'memory.max', unlimited(memoryLimitBytes));
  if (pidsLimit !== undefined) set('pids', 'pids.max', unlimited(pidsLimit));
  for (const [size, bytes] of Object.entries(resources.hugepageLimits ?? {})) {
    set('hugetlb', `hugetlb.${size}.max`, String(bytes));
  }
  for (const [file, value] of Object.entries(resources.unified ?? {})) {
    set(file.split('.')[0] ?? file, file, value);
  }
  return settings;
}
