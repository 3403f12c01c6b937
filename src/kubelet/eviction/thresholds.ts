import { formatQuantity, quantityOf } from '#base/quantity.ts';
import type { KubeletConfig } from '../kubelet-config.ts';
import type { FilesystemState, MachineInfo, MachineUsage } from '../machine-info.ts';
import { thresholdValue } from '../node/node-resources.ts';

/** What runs short; inodes count as storage, as upstream names it to users. */
export type ScarceResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';

/** How much of something there is. */
export interface Observation {
  readonly resource: ScarceResource;
  readonly available: number;
  readonly capacity: number;
}

/** Eviction signals by upstream's names. */
export type Observations = ReadonlyMap<string, Observation>;

export interface Threshold {
  readonly signal: string;
  /** As configured: `5%` or a quantity. */
  readonly text: string;
  /** 0 for hard ones: they act at once. */
  readonly graceMs: number;
  readonly isHard: boolean;
  /** What must be freed beyond the threshold before it is over. */
  readonly minimumReclaim: string;
}

export type EvictionConfig = Pick<
  KubeletConfig,
  | 'evictionHard'
  | 'evictionSoft'
  | 'evictionSoftGraceMs'
  | 'evictionMinimumReclaim'
  | 'evictionMaxPodGraceSeconds'
> &
  Partial<Pick<KubeletConfig, 'enforceNodeAllocatable' | 'hasLocalStorage'>>;

/** Every configured threshold; `0` and `0%` turn one off, as upstream. */
export function readThresholds(config: EvictionConfig): Threshold[] {
  const of = (entries: Readonly<Record<string, string>>, isHard: boolean): Threshold[] =>
    Object.entries(entries)
      .filter(([, text]) => Number.parseFloat(text) !== 0)
      .map(([signal, text]) => ({
        signal,
        text,
        graceMs: isHard ? 0 : (config.evictionSoftGraceMs[signal] ?? 0),
        isHard,
        minimumReclaim: config.evictionMinimumReclaim[signal] ?? '0',
      }));
  return [
    ...of({ ...allocatableThreshold(config), ...config.evictionHard }, true),
    ...of(config.evictionSoft, false),
  ];
}

/** Pods that may not have the whole machine are short of memory before the machine is. */
function allocatableThreshold({
  evictionHard,
  enforceNodeAllocatable = [],
}: EvictionConfig): Record<string, string> {
  const text = evictionHard['memory.available'];
  if (text === undefined || !enforceNodeAllocatable.includes('pods')) return {};
  return { 'allocatableMemory.available': text };
}

/** Memory of all pods together, and how much they may have. */
export interface PodsMemory {
  readonly limitBytes: number;
  readonly workingSetBytes: number;
}

/** What of the machine each signal looks at. Containers' layers are where images are. */
export function observeMachine(
  machine: MachineInfo,
  usage: MachineUsage,
  pods?: PodsMemory,
): Observations {
  const found = new Map<string, Observation>([
    [
      'memory.available',
      {
        resource: 'memory',
        available: usage.memoryAvailableBytes,
        capacity: machine.memoryBytes,
      },
    ],
    [
      'pid.available',
      { resource: 'pids', available: usage.maxPid - usage.processCount, capacity: usage.maxPid },
    ],
  ]);
  const disk = (prefix: string, fs: FilesystemState): void => {
    found.set(`${prefix}.available`, {
      resource: 'ephemeral-storage',
      available: fs.availableBytes,
      capacity: fs.capacityBytes,
    });
    found.set(`${prefix}.inodesFree`, {
      resource: 'inodes',
      available: fs.inodesFree,
      capacity: fs.inodes,
    });
  };
  if (pods !== undefined) {
    found.set('allocatableMemory.available', {
      resource: 'memory',
      available: Math.max(pods.limitBytes - pods.workingSetBytes, 0),
      capacity: pods.limitBytes,
    });
  }
  disk('nodefs', usage.nodeFs);
  disk('imagefs', usage.imageFs);
  disk('containerfs', usage.imageFs);
  return found;
}

/** The thresholds that are crossed; `withReclaim`: those that were and are not over yet. */
export function crossedThresholds(
  thresholds: readonly Threshold[],
  observations: Observations,
  withReclaim = false,
): Threshold[] {
  return thresholds.filter(({ signal, text, minimumReclaim }) => {
    const observed = observations.get(signal);
    // A file system without inodes (btrfs) has no shortage of them.
    if (observed === undefined || observed.capacity === 0) return false;
    const limit = thresholdValue(text, observed.capacity);
    const more = withReclaim ? thresholdValue(minimumReclaim, observed.capacity) : 0;
    return observed.available < limit + more;
  });
}

/** Amounts as upstream's messages show them. */
export function amountText(resource: ScarceResource, amount: number): string {
  const format = resource === 'memory' || resource === 'ephemeral-storage';
  return formatQuantity(quantityOf(amount, format ? 'BinarySI' : 'DecimalSI'));
}

/** The threshold in absolute numbers. */
export function thresholdText({ signal, text }: Threshold, observations: Observations): string {
  const observed = observations.get(signal);
  if (observed === undefined) return text;
  return amountText(observed.resource, thresholdValue(text, observed.capacity));
}
