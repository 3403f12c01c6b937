import { formatTime } from '#base/clock.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import type { FilesystemState } from '../../machine-info.ts';
import type { ContainerUsage, GatheredStats, PodUsage } from './gather-stats.ts';
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
    node: nodeSummary(stats.node, options),
    pods: stats.pods.map((pod) => podSummary(pod, options)),
  };
}

function nodeSummary(node: NodeUsage, options: SummaryOptions): object {
  const time = formatTime(options.nowMs);
  const workingSetBytes = node.memoryBytes - node.memoryAvailableBytes;
  const { cpuUsageNanoseconds } = node;
  return {
    nodeName: options.nodeName,
    startTime: formatTime(node.startTimeMs),
    cpu: cpuSummary('node', cpuUsageNanoseconds, options),
    memory: {
      time,
      availableBytes: node.memoryAvailableBytes,
      usageBytes: workingSetBytes,
      workingSetBytes,
    },
    ...(options.isBrief
      ? {}
      : {
          fs: filesystem(node.nodeFs, time),
          runtime: { imageFs: filesystem(node.imageFs, time) },
          rlimit: { time, maxpid: node.maxPid, curproc: node.processCount },
        }),
  };
}

function podSummary({ pod, cgroup, containers }: PodUsage, options: SummaryOptions): object {
  const { name, namespace = '', uid = '', creationTimestamp } = pod.metadata;
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status?.startTime ?? creationTimestamp,
    containers: containers.map((one) => containerSummary(one, options)),
    ...(cgroup === undefined ? {} : cgroupSummary(uid, cgroup, options)),
  };
}

function cgroupSummary(uid: string, cgroup: CgroupStats, options: SummaryOptions): object {
  return {
    cpu: cpuSummary(`pod/${uid}`, cgroup.cpuUsageNanoseconds, options),
    memory: {
      time: formatTime(options.nowMs),
      ...available(cgroup.memoryLimitBytes, cgroup.memoryWorkingSetBytes),
      usageBytes: cgroup.memoryUsageBytes,
      workingSetBytes: cgroup.memoryWorkingSetBytes,
      rssBytes: cgroup.memoryRssBytes,
      pageFaults: cgroup.pageFaults,
      majorPageFaults: cgroup.majorPageFaults,
    },
    ...(options.isBrief ? {} : { process_stats: { process_count: cgroup.processCount } }),
  };
}

function containerSummary(
  { name, id, startTimeMs, stats }: ContainerUsage,
  options: SummaryOptions,
): object {
  const { cpu, memory, writableLayer } = stats;
  const time = formatTime(options.nowMs);
  return {
    name,
    startTime: formatTime(startTimeMs),
    cpu: cpuSummary(`container/${id}`, cpu?.usageCoreNanoSeconds?.value ?? 0, options),
    memory: {
      time,
      usageBytes: memory?.usageBytes?.value,
      workingSetBytes: memory?.workingSetBytes?.value ?? 0,
      rssBytes: memory?.rssBytes?.value,
      pageFaults: memory?.pageFaults?.value,
      majorPageFaults: memory?.majorPageFaults?.value,
    },
    ...(options.isBrief
      ? {}
      : {
          rootfs: {
            time,
            usedBytes: writableLayer?.usedBytes?.value,
            inodesUsed: writableLayer?.inodesUsed?.value,
          },
        }),
  };
}

function cpuSummary(key: string, usageCoreNanoSeconds: number, options: SummaryOptions): object {
  const usageNanoCores = options.rates.rate(key, usageCoreNanoSeconds);
  return { time: formatTime(options.nowMs), usageNanoCores, usageCoreNanoSeconds };
}

function available(limit: number | undefined, used: number): { availableBytes?: number } {
  return limit === undefined ? {} : { availableBytes: Math.max(limit - used, 0) };
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
