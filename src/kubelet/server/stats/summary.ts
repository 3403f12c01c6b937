import { formatTime } from '#base/clock.ts';
import type { CgroupDetails, Pressure, PressurePair } from '#host/cgroup-details.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import type { FilesystemState } from '../../machine-info.ts';
import type { ContainerUsage, GatheredStats, PodUsage } from './gather-stats.ts';
import type { InterfaceStats } from './network.ts';
import type { FileUsage, PodFiles } from './pod-files.ts';
import type { CpuRates } from './rates.ts';
import type { NodeUsage } from './usage-reader.ts';

interface SummaryOptions {
  nodeName: string;
  nowMs: number;
  rates: CpuRates;
  /** `only_cpu_and_memory=true`. */
  isBrief: boolean;
}

/** The body of /stats/summary. */
export function statsSummary(stats: GatheredStats, options: SummaryOptions): object {
  return {
    node: nodeSummary(stats, options),
    pods: stats.pods.map((pod) => podSummary(pod, stats.node, options)),
  };
}

function nodeSummary(
  { node, nodeNetwork, allPods }: GatheredStats,
  options: SummaryOptions,
): object {
  const time = formatTime(options.nowMs);
  const workingSetBytes = node.memoryBytes - node.memoryAvailableBytes;
  const { cpuUsageNanoseconds } = node;
  return {
    nodeName: options.nodeName,
    startTime: formatTime(node.startTimeMs),
    ...(allPods === undefined
      ? {}
      : {
          systemContainers: [
            {
              name: 'pods',
              startTime: formatTime(node.startTimeMs),
              ...cgroupSummary('', allPods, { ...options, isBrief: true }),
            },
          ],
        }),
    cpu: { ...cpuSummary('node', cpuUsageNanoseconds, options), ...psi(node.pressure?.cpu) },
    memory: {
      time,
      availableBytes: node.memoryAvailableBytes,
      usageBytes: workingSetBytes,
      workingSetBytes,
      ...psi(node.pressure?.memory),
    },
    ...(options.isBrief
      ? {}
      : {
          ...networkSummary(nodeNetwork, time),
          fs: filesystem(node.nodeFs, time),
          runtime: {
            imageFs: filesystem(node.imageFs, time),
            containerFs: filesystem(node.imageFs, time),
          },
          ...(node.pressure?.io === undefined ? {} : { io: { time, ...psi(node.pressure.io) } }),
          ...(node.swapBytes === undefined
            ? {}
            : {
                swap: {
                  time,
                  swapAvailableBytes: node.swapFreeBytes ?? 0,
                  swapUsageBytes: node.swapBytes - (node.swapFreeBytes ?? 0),
                },
              }),
          rlimit: { time, maxpid: node.maxPid, curproc: node.processCount },
        }),
  };
}

function podSummary(usage: PodUsage, node: NodeUsage, options: SummaryOptions): object {
  const { pod, cgroup, containers, network, files, details } = usage;
  const time = formatTime(options.nowMs);
  const { name, namespace = '', uid = '', creationTimestamp } = pod.metadata;
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status?.startTime ?? creationTimestamp,
    containers: containers.map((one) =>
      containerSummary(one, { node, logs: files?.logs.get(one.name) }, options),
    ),
    ...(cgroup === undefined ? {} : cgroupSummary(uid, cgroup, { ...options, details })),
    ...detailSummary(details, time),
    ...networkSummary(network, time),
    ...(files === undefined ? {} : fileSummary(usage, files, node)),
  };
}

function cgroupSummary(
  uid: string,
  cgroup: CgroupStats,
  options: SummaryOptions & { details?: CgroupDetails | undefined },
): object {
  const { details } = options;
  return {
    cpu: {
      ...cpuSummary(`pod/${uid}`, cgroup.cpuUsageNanoseconds, options),
      ...psi(details?.cpuPressure),
    },
    memory: {
      time: formatTime(options.nowMs),
      ...available(cgroup.memoryLimitBytes, cgroup.memoryWorkingSetBytes),
      usageBytes: cgroup.memoryUsageBytes,
      workingSetBytes: cgroup.memoryWorkingSetBytes,
      rssBytes: cgroup.memoryRssBytes,
      pageFaults: cgroup.pageFaults,
      majorPageFaults: cgroup.majorPageFaults,
      ...psi(details?.memoryPressure),
    },
    ...(options.isBrief ? {} : { process_stats: { process_count: cgroup.processCount } }),
  };
}

function containerSummary(
  { name, id, startTimeMs, stats, details }: ContainerUsage,
  { node, logs }: { node: NodeUsage; logs: FileUsage | undefined },
  options: SummaryOptions,
): object {
  const { cpu, memory, writableLayer } = stats;
  const time = formatTime(options.nowMs);
  return {
    name,
    startTime: formatTime(startTimeMs),
    cpu: {
      ...cpuSummary(`container/${id}`, cpu?.usageCoreNanoSeconds?.value ?? 0, options),
      ...psi(details?.cpuPressure),
    },
    memory: {
      time,
      ...available(details?.memoryLimitBytes, memory?.workingSetBytes?.value ?? 0),
      usageBytes: memory?.usageBytes?.value,
      workingSetBytes: memory?.workingSetBytes?.value ?? 0,
      rssBytes: memory?.rssBytes?.value,
      pageFaults: memory?.pageFaults?.value,
      majorPageFaults: memory?.majorPageFaults?.value,
      ...psi(details?.memoryPressure),
    },
    ...detailSummary(details, time),
    ...(options.isBrief
      ? {}
      : {
          rootfs: {
            ...space(node.imageFs, time),
            usedBytes: writableLayer?.usedBytes?.value ?? 0,
            inodesUsed: writableLayer?.inodesUsed?.value ?? 0,
          },
          ...(logs === undefined
            ? {}
            : { logs: { ...space(node.nodeFs, time), ...fileUsed(logs) } }),
        }),
  };
}

/** Swap and waiting for disks of a pod or a container. */
function detailSummary(details: CgroupDetails | undefined, time: string): object {
  if (details === undefined) return {};
  const { memorySwapBytes, memorySwapLimitBytes, ioPressure } = details;
  return {
    ...(ioPressure === undefined ? {} : { io: { time, ...psi(ioPressure) } }),
    swap: {
      time,
      ...(memorySwapLimitBytes === undefined
        ? {}
        : { swapAvailableBytes: Math.max(memorySwapLimitBytes - memorySwapBytes, 0) }),
      swapUsageBytes: memorySwapBytes,
    },
  };
}

function psi(pair: PressurePair | undefined): object {
  if (pair === undefined) return {};
  const shown = ({ totalUs, avg10, avg60, avg300 }: Pressure): object => ({
    // Nanoseconds, as upstream.
    total: totalUs * 1000,
    avg10,
    avg60,
    avg300,
  });
  return { psi: { full: shown(pair.full), some: shown(pair.some) } };
}

function cpuSummary(key: string, usageCoreNanoSeconds: number, options: SummaryOptions): object {
  const usageNanoCores = options.rates.rate(key, usageCoreNanoSeconds);
  return { time: formatTime(options.nowMs), usageNanoCores, usageCoreNanoSeconds };
}

function available(limit: number | undefined, used: number): { availableBytes?: number } {
  return limit === undefined ? {} : { availableBytes: Math.max(limit - used, 0) };
}

function networkSummary(
  interfaces: readonly InterfaceStats[] | undefined,
  time: string,
): { network?: object } {
  if (interfaces === undefined) return {};
  const shown = interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
    name,
    rxBytes,
    rxErrors,
    txBytes,
    txErrors,
  }));
  // The first one counts for the whole, as upstream where there is no eth0.
  const main = shown.find(({ name }) => name === 'eth0') ?? shown[0];
  return main === undefined ? {} : { network: { time, ...main, interfaces: shown } };
}

/** Volumes one by one, and everything that counts for the limits of ephemeral storage. */
function fileSummary(
  { containers, claims = [] }: PodUsage,
  files: PodFiles,
  node: NodeUsage,
): object {
  const time = formatTime(files.atMs);
  const volumes = [...files.volumes];
  const layers = containers.map(({ stats: { writableLayer } }) => ({
    usedBytes: writableLayer?.usedBytes?.value ?? 0,
    inodesUsed: writableLayer?.inodesUsed?.value ?? 0,
  }));
  const counted = [
    ...layers,
    ...files.logs.values(),
    ...volumes.filter(([, { isInMemory }]) => !isInMemory).map(([, usage]) => usage),
  ];
  const total = {
    usedBytes: counted.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
    inodesUsed: counted.reduce((sum, { inodesUsed }) => sum + inodesUsed, 0),
  };
  return {
    volume: [
      ...volumes.map(([name, usage]) => ({
        ...space(node.nodeFs, time),
        ...fileUsed(usage),
        name,
      })),
      ...claims.map(({ volumeName, claim, fs }) => ({
        ...filesystem(fs, time),
        name: volumeName,
        pvcRef: { name: claim.name, namespace: claim.namespace },
      })),
    ],
    'ephemeral-storage': { ...space(node.nodeFs, time), ...total },
  };
}

function fileUsed({ usedBytes, inodesUsed }: FileUsage): FileUsage {
  return { usedBytes, inodesUsed };
}

/** The file system that something lies on. */
function space(state: FilesystemState, time: string): object {
  const { capacityBytes, availableBytes, inodes, inodesFree } = state;
  return { time, availableBytes, capacityBytes, inodesFree, inodes };
}

function filesystem(state: FilesystemState, time: string): object {
  const { capacityBytes, availableBytes, inodes, inodesFree } = state;
  return {
    time,
    availableBytes,
    capacityBytes,
    usedBytes: capacityBytes - availableBytes,
    inodesFree,
    inodes,
    inodesUsed: inodes - inodesFree,
  };
}
