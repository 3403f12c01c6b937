import { formatTime } from '#base/clock.ts';
import { formatDuration } from '#base/duration.ts';
import { addQuantity, formatQuantity, parseQuantity, quantityOf } from '#base/quantity.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { PodUsage, Usage } from './usage-store.ts';

export const apiVersion = 'metrics.k8s.io/v1beta1';

type ResourceUsage = Readonly<{ cpu: string; memory: string }>;

interface Measured {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly timestamp: string;
  readonly window: string;
}

/** An item of a NodeMetricsList; kind and apiVersion are added where it stands alone. */
export interface NodeMetrics extends Measured {
  readonly usage: ResourceUsage;
}

/** An item of a PodMetricsList. */
export interface PodMetrics extends Measured {
  readonly containers: readonly { readonly name: string; readonly usage: ResourceUsage }[];
}

export function nodeMetrics({ metadata }: Node, usage: Usage, nowMs: number): NodeMetrics {
  return {
    metadata: metadataOf(metadata, nowMs),
    timestamp: formatTime(usage.endMs),
    window: formatDuration(usage.windowMs),
    usage: resourceUsage(usage),
  };
}

export function podMetrics({ metadata }: Pod, usage: PodUsage, nowMs: number): PodMetrics {
  return {
    metadata: metadataOf(metadata, nowMs),
    timestamp: formatTime(usage.endMs),
    window: formatDuration(usage.windowMs),
    containers: [...usage.containers].map(([name, one]) => ({ name, usage: resourceUsage(one) })),
  };
}

function metadataOf(
  { name, namespace, labels }: Pod['metadata'],
  nowMs: number,
): Measured['metadata'] {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    creationTimestamp: formatTime(nowMs),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** CPU in nanocores, memory in Ki: as metrics-server writes them. */
function resourceUsage({ cores, memoryBytes }: Usage): ResourceUsage {
  const nanocores = Math.round(cores * 1e9);
  return {
    cpu: formatQuantity(parseQuantity(`${nanocores}n`)),
    memory: formatQuantity(quantityOf(memoryBytes, 'BinarySI')),
  };
}

const columns = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name of the resource',
    priority: 0,
  },
  { name: 'cpu', type: 'string', format: 'quantity', description: '', priority: 0 },
  { name: 'memory', type: 'string', format: 'quantity', description: '', priority: 0 },
  { name: 'Window', type: 'string', format: 'duration', description: '', priority: 0 },
];

/** The Table of some metrics, with whole objects or their metadata in its rows. */
export function metricsTable(
  items: readonly (NodeMetrics | PodMetrics)[],
  kind: string,
  include: string | null,
): object {
  const rowObject = (item: Measured): object | null => {
    if (include === 'None') return null;
    if (include === 'Object') return { kind, apiVersion, ...item };
    const { metadata } = item;
    return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
  };
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions: columns,
    rows: items.map((item) => {
      const { cpu, memory } = totalUsage(item);
      return { cells: [item.metadata.name, cpu, memory, item.window], object: rowObject(item) };
    }),
  };
}

function totalUsage(item: NodeMetrics | PodMetrics): ResourceUsage {
  if ('usage' in item) return item.usage;
  const sum = (name: 'cpu' | 'memory'): string => {
    const [first, ...others] = item.containers.map(({ usage }) => parseQuantity(usage[name]));
    if (first === undefined) return '0';
    return formatQuantity(others.reduce((total, one) => addQuantity(total, one), first));
  };
  return { cpu: sum('cpu'), memory: sum('memory') };
}
