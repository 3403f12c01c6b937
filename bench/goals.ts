import type { Metric } from './measurement.ts';

/**
 * A goal for one value of a cell. The yardstick is upstream (kube-apiserver, etcd, kubelet and
 * scheduler 1.36.2 and 1.20.2) on a machine with 2 cores; ratios are taken to the better of them.
 */
export interface Goal {
  readonly cell: string;
  readonly metric: Metric;
  readonly upstream: readonly [v136: number | undefined, v120: number | undefined];
  readonly goal: number;
  readonly stretch: number;
}

type Row = readonly [
  cell: string,
  metric: Metric,
  v136: number | undefined,
  v120: number | undefined,
  goal: number,
  stretch: number,
];

const rows: readonly Row[] = [
  ['start to /readyz', 'tookMs', 2500, 3900, 600, 300],
  ['start to node Ready', 'tookMs', 3500, 17_700, 2000, 1200],
  ['idle API and store', 'rssMb', 312, 358, 120, 90],
  ['idle node', 'rssMb', 668, 645, 220, 160],
  ['idle node', 'cpuPercent', undefined, 20, 1, 0.5],
  ['pod create to Running', 'p50Ms', 499, 1336, 350, 250],
  ['pod create to Running', 'p90Ms', 539, 1529, 450, 320],
  ['pod delete to gone', 'p50Ms', 1203, 8363, 400, 250],
  ['30 pods all Running', 'tookMs', 4400, 22_600, 3000, 2200],
  ['30 pods all gone', 'tookMs', 3700, 70_000, 2000, 1500],
  ['10 replicas Available', 'tookMs', 1700, 9800, 1200, 900],
  ['10 replicas gone', 'tookMs', 1500, 49_000, 1000, 700],
  ['get pod c=1', 'cpuMs', 0.66, 0.55, 0.11, 0.07],
  ['get pod c=16', 'perSecond', 2600, 3055, 10_700, 15_000],
  ['list 1000 pods rv=0', 'p50Ms', 39, 26, 5.2, 3.3],
  ['list 1000 pods consistent', 'p50Ms', 37, 40, 5.3, 3.1],
  ['list 1000 pods as gzip', 'cpuMs', 43, 43, 14, 8.6],
  ['list 1000 pods as Table', 'cpuMs', 32, 41, 8, 5.3],
  ['list 1000 pods as protobuf', 'cpuMs', 26, 15, 7.5, 3.7],
  ['create pod c=1', 'p50Ms', 1.6, 1.2, 0.8, 0.5],
  ['create pod c=16', 'cpuMs', 1.7, 1.5, 0.43, 0.3],
  ['create pod c=16', 'perSecond', 1058, 1208, 3600, 5400],
  ['create pod c=16', 'p99Ms', 22, 19, 12, 7],
  ['create configmap c=64', 'perSecond', 2156, 2207, 6600, 11_000],
  ['patch merge c=16', 'perSecond', 688, 851, 3400, 5960],
  ['patch strategic c=16', 'perSecond', 494, 767, 3070, 5370],
  ['server-side apply c=16', 'perSecond', 637, 793, 2380, 3965],
  ['update configmap c=16', 'perSecond', 1192, 1409, 4200, 7050],
  ['update contended c=16', 'perSecond', 839, 1023, 3070, 5100],
  ['delete configmap c=16', 'perSecond', 1767, 1737, 4400, 7070],
  ['watch 100 watchers', 'p99Ms', 4.6, 6, 3, 2],
  ['schedule pods on 100 nodes', 'perSecond', 288, 371, 1300, 2600],
  ['schedule pods on 100 nodes', 'cpuMs', 6.5, 5, 1.5, 0.8],
  ['schedule pods on 1000 nodes', 'perSecond', 236, 220, 1420, 2360],
  ['schedule pods on 1000 nodes', 'cpuMs', 8, 8.4, 1.5, 0.8],
];

export const goals: readonly Goal[] = rows.map(([cell, metric, v136, v120, goal, stretch]) => ({
  cell,
  metric,
  upstream: [v136, v120],
  goal,
  stretch,
}));

/** Whether more of the metric is better. */
export function isMoreBetter(metric: Metric): boolean {
  return metric === 'perSecond';
}
