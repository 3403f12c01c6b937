import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { hasCode } from '#base/errors.ts';

/** What a Node object says about its machine. */
export interface MachineInfo {
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly hostname: string;
  readonly kernelVersion: string;
  /** PRETTY_NAME of os-release: `Debian GNU/Linux 12 (bookworm)`. */
  readonly osImage: string;
  /** Kubernetes' name: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly systemUuid: string;
  readonly bootTimeMs: number;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const isExpected = ['ENOENT', 'EACCES', 'ENOTDIR', 'EIO'].some((code) => hasCode(error, code));
    if (isExpected) return undefined;
    throw error;
  }
}

async function firstText(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await readText(path);
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** The machine's architecture in the words of Go and OCI. */
export function goArchitecture(nodeArchitecture: string = process.arch): string {
  return architectures[nodeArchitecture] ?? nodeArchitecture;
}

/** PRETTY_NAME of an os-release file, `Linux` when it has none. */
export function parseOsRelease(text: string): string {
  const line = text.split('\n').find((candidate) => candidate.startsWith('PRETTY_NAME='));
  const value = line?.slice('PRETTY_NAME='.length).trim() ?? '';
  return value.replace(/^(["'])(.*)\1$/, '$2') || 'Linux';
}

/** A `Key:   123 kB` line of /proc/meminfo in bytes. */
export function memInfoBytes(text: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text);
  return Number(match?.[1] ?? 0) * 1024;
}

/** Reads the machine's facts; files that a container hides give empty strings, never errors. */
export async function readMachine(): Promise<MachineInfo> {
  const [memInfo, osRelease, stat] = await Promise.all([
    readText('/proc/meminfo'),
    firstText(['/etc/os-release', '/usr/lib/os-release']),
    readText('/proc/stat'),
  ]);
  const machineId = (await firstText(['/etc/machine-id', '/var/lib/dbus/machine-id'])) ?? '';
  const uuid = await firstText([
    '/sys/class/dmi/id/product_uuid',
    '/proc/device-tree/vm,uuid',
    '/etc/machine-id',
  ]);
  return {
    cpuCount: os.availableParallelism(),
    memoryBytes: memInfoBytes(memInfo ?? '', 'MemTotal') || os.totalmem(),
    swapBytes: memInfoBytes(memInfo ?? '', 'SwapTotal'),
    hostname: os.hostname(),
    kernelVersion: os.release(),
    osImage: parseOsRelease(osRelease ?? ''),
    architecture: goArchitecture(),
    machineId,
    bootId: (await readText('/proc/sys/kernel/random/boot_id')) ?? '',
    systemUuid: uuid ?? '',
    bootTimeMs: Number(/^btime (\d+)$/m.exec(stat ?? '')?.[1] ?? 0) * 1000,
  };
}

/** Bytes that processes could still get, as the kernel estimates them. */
export async function availableMemoryBytes(): Promise<number> {
  return memInfoBytes((await readText('/proc/meminfo')) ?? '', 'MemAvailable');
}
