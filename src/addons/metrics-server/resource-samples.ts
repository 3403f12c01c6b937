/** What a container or a node has used up to one moment. */
export interface UsagePoint {
  readonly atMs: number;
  /** Since the container or the node was started. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export interface ContainerPoint extends UsagePoint {
  /** Undefined when the kubelet does not say. */
  readonly startMs: number | undefined;
}

/** One reading of a kubelet's /metrics/resource. */
export interface NodeSamples {
  /** Undefined when it has no or only half of the node's numbers. */
  readonly node: UsagePoint | undefined;
  /** By `namespace/name`, then by container; pods with half-known containers are left out. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, ContainerPoint>>;
}

interface Parts {
  atMs?: number;
  cpuSeconds?: number;
  memoryBytes?: number;
  startMs?: number;
}

const line = /^([a-z_]+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?$/;
const label = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** Reads the text; `nowMs` stands in for samples without a time. Unknown series are passed over. */
export function parseResourceMetrics(text: string, nowMs: number): NodeSamples {
  const node: Parts = {};
  const pods = new Map<string, Map<string, Parts>>();
  for (const row of text.split('\n')) {
    const match = row.startsWith('#') ? null : line.exec(row);
    if (match === null) continue;
    const [, name = '', labels = '', valueText, timeText] = match;
    const value = Number(valueText);
    if (!Number.isFinite(value)) continue;
    const parts = name.startsWith('node_') ? node : containerParts(pods, name, labels);
    if (parts === undefined) continue;
    if (name.endsWith('_cpu_usage_seconds_total')) {
      parts.cpuSeconds = value;
      parts.atMs = timeText === undefined ? nowMs : Number(timeText);
    } else if (name.endsWith('_memory_working_set_bytes')) parts.memoryBytes = value;
    else if (name === 'container_start_time_seconds') parts.startMs = value * 1000;
  }
  return { node: usagePoint(node), pods: wholePods(pods) };
}

function containerParts(
  pods: Map<string, Map<string, Parts>>,
  name: string,
  text: string,
): Parts | undefined {
  if (!name.startsWith('container_')) return undefined;
  const labels = new Map([...text.matchAll(label)].map(([, key, value]) => [key, value]));
  const container = labels.get('container') ?? '';
  const key = `${labels.get('namespace') ?? ''}/${labels.get('pod') ?? ''}`;
  if (container === '') return undefined;
  const containers = pods.get(key) ?? new Map<string, Parts>();
  pods.set(key, containers);
  const parts = containers.get(container) ?? {};
  containers.set(container, parts);
  return parts;
}

function usagePoint({ atMs, cpuSeconds, memoryBytes }: Parts): UsagePoint | undefined {
  if (atMs === undefined || cpuSeconds === undefined || memoryBytes === undefined) return undefined;
  return { atMs, cpuSeconds, memoryBytes };
}

function wholePods(
  pods: ReadonlyMap<string, ReadonlyMap<string, Parts>>,
): Map<string, Map<string, ContainerPoint>> {
  const whole = new Map<string, Map<string, ContainerPoint>>();
  for (const [key, containers] of pods) {
    const points = new Map<string, ContainerPoint>();
    for (const [name, parts] of containers) {
      const point = usagePoint(parts);
      if (point !== undefined) points.set(name, { ...point, startMs: parts.startMs });
    }
    if (points.size === containers.size) whole.set(key, points);
  }
  return whole;
}
