import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';
import { statFilesystem } from '#host/disk.ts';
import { availableMemoryBytes, readMachine } from '#host/machine.ts';
import type { MachineInfo, MachineUsage } from '../machine-info.ts';

/** Reads the facts of this machine. */
export async function readMachineInfo(): Promise<MachineInfo> {
  return {
    ...(await readMachine()),
    hugePages: await readHugePages(),
    hasAppArmor: await readAppArmor(),
  };
}

async function readAppArmor(): Promise<boolean> {
  const text = await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => '');
  return text.startsWith('Y');
}

export interface MachineUsageOptions {
  /** A path on the file system of pods: `/var/lib/kubelet`. */
  nodePath: string;
  /** A path on the file system of images: containerd's root. */
  imagePath: string;
}

/** Reads what is in use now; touches the disk. */
export async function readMachineUsage(options: MachineUsageOptions): Promise<MachineUsage> {
  const [memoryAvailableBytes, nodeFs, imageFs, maxPid, processCount] = await Promise.all([
    availableMemoryBytes(),
    statFilesystem(options.nodePath),
    statFilesystem(options.imagePath),
    readNumber('/proc/sys/kernel/pid_max'),
    countProcesses(),
  ]);
  return { memoryAvailableBytes, nodeFs, imageFs, maxPid, processCount };
}

const hugePagesDirectory = '/sys/kernel/mm/hugepages';

/** Page size in KiB to total bytes, for every size the machine offers. */
async function readHugePages(): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  let names: string[];
  try {
    names = await readdir(hugePagesDirectory);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return found;
    throw error;
  }
  for (const name of names) {
    const sizeKib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    if (!Number.isSafeInteger(sizeKib)) continue;
    const count = await readNumber(join(hugePagesDirectory, name, 'nr_hugepages'));
    found.set(sizeKib, count * sizeKib * 1024);
  }
  return found;
}

async function readNumber(path: string): Promise<number> {
  return Number((await readFile(path, 'utf8')).trim());
}

/** The fourth word of loadavg is running/total threads. */
async function countProcesses(): Promise<number> {
  const [, , , counts = ''] = (await readFile('/proc/loadavg', 'utf8')).split(' ');
  return Number(counts.split('/')[1] ?? 0);
}
