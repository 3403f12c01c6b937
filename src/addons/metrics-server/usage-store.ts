import type { ContainerPoint, NodeSamples, UsagePoint } from './resource-samples.ts';

/** Average CPU over a window, and memory at its end. */
export interface Usage {
  readonly endMs: number;
  readonly windowMs: number;
  readonly cores: number;
  readonly memoryBytes: number;
}

export interface PodUsage {
  /** The earliest of its containers'. */
  readonly endMs: number;
  readonly windowMs: number;
  readonly containers: ReadonlyMap<string, Usage>;
}

/** The last two readings of everything that runs: what usage is made of. */
export interface UsageStore {
  put(nodeName: string, samples: NodeSamples): void;
  /** Forgets nodes that are not in the set, and what was read before `oldestMs`. */
  retain(nodeNames: ReadonlySet<string>, oldestMs: number): void;
  /** Somebody asked for a pod that is too new to be known: it is worth to look again soon. */
  want(): void;
  /** Whether somebody did since the last call. */
  takeWanted(): boolean;
  /** Whether the node has been read often enough to say what it uses. */
  isKnown(nodeName: string): boolean;
  node(nodeName: string): Usage | undefined;
  /** Undefined until every container of the pod is known. */
  pod(key: string, nodeName: string): PodUsage | undefined;
}

interface Reading {
  readonly samples: NodeSamples;
  /** Where each window begins; absent: nothing to say yet. */
  readonly nodeStart: UsagePoint | undefined;
  readonly starts: ReadonlyMap<string, UsagePoint>;
}

/** A container this young has used its CPU since its start: no second reading is needed. */
const freshMs = 60_000;
/** Over less than this, the cost of starting hides what a container uses. */
const shortestWindowMs = 2_000;

const containerKey = (pod: string, container: string): string => `${pod}/${container}`;

export function createUsageStore(): UsageStore {
  const readings = new Map<string, Reading>();
  let isWanted = false;

  const put = (nodeName: string, samples: NodeSamples): void => {
    const before = readings.get(nodeName);
    const starts = new Map<string, UsagePoint>();
    for (const [pod, containers] of samples.pods) {
      for (const [name, point] of containers) {
        const key = containerKey(pod, name);
        const last = before?.samples.pods.get(pod)?.get(name);
        const start = windowStart(point, last, before?.starts.get(key));
        if (start !== undefined) starts.set(key, start);
      }
    }
    const nodeStart =
      samples.node && nextStart(samples.node, before?.samples.node, before?.nodeStart);
    readings.set(nodeName, { samples, nodeStart, starts });
  };

  return {
    put,
    want() {
      isWanted = true;
    },
    takeWanted() {
      const was = isWanted;
      isWanted = false;
      return was;
    },
    retain(nodeNames, oldestMs) {
      for (const [name, { samples }] of readings) {
        const isOld = samples.node !== undefined && samples.node.atMs < oldestMs;
        if (!nodeNames.has(name) || isOld) readings.delete(name);
      }
    },
    isKnown: (nodeName) => readings.get(nodeName)?.nodeStart !== undefined,
    node(nodeName) {
      const reading = readings.get(nodeName);
      return usageBetween(reading?.nodeStart, reading?.samples.node);
    },
    pod(key, nodeName) {
      const reading = readings.get(nodeName);
      const points = reading?.samples.pods.get(key);
      if (reading === undefined || points === undefined || points.size === 0) return undefined;
      const containers = new Map<string, Usage>();
      for (const [name, point] of points) {
        const usage = usageBetween(reading.starts.get(containerKey(key, name)), point);
        if (usage === undefined) return undefined;
        containers.set(name, usage);
      }
      const [first, ...others] = containers.values();
      if (first === undefined) return undefined;
      const earliest = others.reduce(
        (least, one) => (one.endMs < least.endMs ? one : least),
        first,
      );
      return { endMs: earliest.endMs, windowMs: earliest.windowMs, containers };
    },
  };
}

/** The last point, or the start before it when nothing new was read. */
function nextStart(
  point: UsagePoint,
  last: UsagePoint | undefined,
  lastStart: UsagePoint | undefined,
): UsagePoint | undefined {
  if (last === undefined || point.cpuSeconds < last.cpuSeconds) return undefined;
  return last.atMs < point.atMs ? last : lastStart;
}

function windowStart(
  point: ContainerPoint,
  last: ContainerPoint | undefined,
  lastStart: UsagePoint | undefined,
): UsagePoint | undefined {
  const isRestarted =
    last !== undefined && ((point.startMs ?? 0) > last.atMs || point.cpuSeconds < last.cpuSeconds);
  const start = isRestarted ? undefined : nextStart(point, last, lastStart);
  if (start !== undefined) return start;
  const ageMs = point.startMs === undefined ? 0 : point.atMs - point.startMs;
  if (point.startMs === undefined || ageMs < shortestWindowMs || ageMs > freshMs) return undefined;
  return { atMs: point.startMs, cpuSeconds: 0, memoryBytes: point.memoryBytes };
}

function usageBetween(
  start: UsagePoint | undefined,
  end: UsagePoint | undefined,
): Usage | undefined {
  if (start === undefined || end === undefined) return undefined;
  const windowMs = end.atMs - start.atMs;
  const cores = ((end.cpuSeconds - start.cpuSeconds) * 1000) / windowMs;
  return { endMs: end.atMs, windowMs, cores, memoryBytes: end.memoryBytes };
}
