import type { Clock } from '#base/clock.ts';
import type { KubeletConfig } from '../kubelet-config.ts';
import type { FilesystemState, MachineInfo, MachineUsage } from '../machine-info.ts';
import type { Pressures } from './node-conditions.ts';
import { thresholdValue } from './node-resources.ts';

export interface Signal {
  readonly name: string;
  readonly resource: 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';
  readonly available: number;
  readonly threshold: number;
}

/** Eviction signals with a threshold, what is available and what there must be. */
export function evictionSignals(
  machine: MachineInfo,
  usage: MachineUsage,
  config: Pick<KubeletConfig, 'evictionHard'>,
): Signal[] {
  const signals: Signal[] = [];
  const add = (
    name: string,
    resource: Signal['resource'],
    available: number,
    capacity: number,
  ): void => {
    const text = config.evictionHard[name];
    if (text === undefined || capacity === 0) return;
    signals.push({ name, resource, available, threshold: thresholdValue(text, capacity) });
  };
  add('memory.available', 'memory', usage.memoryAvailableBytes, machine.memoryBytes);
  const disk = (prefix: string, fs: FilesystemState): void => {
    add(`${prefix}.available`, 'ephemeral-storage', fs.availableBytes, fs.capacityBytes);
    add(`${prefix}.inodesFree`, 'inodes', fs.inodesFree, fs.inodes);
  };
  disk('nodefs', usage.nodeFs);
  disk('imagefs', usage.imageFs);
  add('pid.available', 'pids', usage.maxPid - usage.processCount, usage.maxPid);
  return signals;
}

/** Pressure conditions that stay on for a while after the last signal below its threshold. */
export interface PressureWatch {
  observe(signals: readonly Signal[]): void;
  /** These run short, as eviction sees it: soft thresholds and minimum reclaim count there. */
  note(resources: Iterable<Signal['resource']>): void;
  pressures(): Pressures;
}

export function createPressureWatch(options: {
  clock: Clock;
  transitionMs: number;
}): PressureWatch {
  const { clock, transitionMs } = options;
  const lastSeenMs = new Map<Signal['resource'], number>();
  const isUnder = (resource: Signal['resource']): boolean => {
    const seenMs = lastSeenMs.get(resource);
    return seenMs !== undefined && clock.now() - seenMs < transitionMs;
  };
  return {
    observe(signals) {
      for (const { resource, available, threshold } of signals) {
        if (available < threshold) lastSeenMs.set(resource, clock.now());
      }
    },
    note(resources) {
      for (const resource of resources) lastSeenMs.set(resource, clock.now());
    },
    pressures: () => ({
      memory: isUnder('memory'),
      disk: isUnder('ephemeral-storage') || isUnder('inodes'),
      pid: isUnder('pids'),
    }),
  };
}
