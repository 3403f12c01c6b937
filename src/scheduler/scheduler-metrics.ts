import { MetricRegistry } from '#base/metrics.ts';
import type { QueueSizes } from './queue/scheduling-queue.ts';

/** What the scheduler holds now. */
export interface SchedulerSizes {
  readonly queue: QueueSizes;
  readonly nodes: number;
  readonly pods: number;
  readonly assumedPods: number;
}

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** `count` bounds from `first` on, each twice the one before. */
const doubled = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first * 2 ** index);

/** The scheduler's metrics under upstream's names. */
export interface SchedulerMetrics {
  attempt(profile: string, result: AttemptResult, seconds: number): void;
  /** Filter and score of one pod, whatever came of it. */
  searched(seconds: number): void;
  /** A pod has its node, after so many cycles, so long after it came to the queue. */
  scheduled(attempts: number, seconds: number): void;
  preempted(victims: number): void;
  /** An extension point ran for one pod. */
  extended(point: string, profile: string, status: string, seconds: number): void;
  /** A pod came to a queue, by what brought it there. */
  queued(event: string, queue: string): void;
  /** Where the numbers of waiting and placed pods come from, until the returned function is called. */
  watch(sizes: () => SchedulerSizes): () => void;
}

/** Metrics in `registry`, which others may share; of a second scheduler the numbers go on. */
export function createSchedulerMetrics(registry = new MetricRegistry()): SchedulerMetrics {
  const attempts = registry.counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Cycles by what came of them.',
    stability: 'STABLE',
    labels: ['profile', 'result'],
  });
  const attemptSeconds = registry.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Time from the start of a cycle to the bound pod or its failure.',
    stability: 'STABLE',
    labels: ['profile', 'result'],
    buckets: doubled(0.001, 15),
  });
  const searchSeconds = registry.histogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'Time that finding a node takes.',
    stability: 'ALPHA',
    buckets: doubled(0.001, 15),
  });
  const podAttempts = registry.histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Cycles that a pod needed to get its node.',
    stability: 'STABLE',
    buckets: [1, 2, 4, 8, 16],
  });
  const podSeconds = registry.histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'Time from the queue to the node, over all cycles of a pod.',
    stability: 'BETA',
    labels: ['attempts'],
    buckets: doubled(0.01, 20),
  });
  const victims = registry.histogram({
    name: 'scheduler_preemption_victims',
    help: 'Pods that had to make room in one preemption.',
    stability: 'STABLE',
    buckets: [1, 2, 4, 8, 16, 32, 64],
  });
  const preemptions = registry.counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Preemptions so far.',
    stability: 'STABLE',
  });
  const pending = registry.gauge({
    name: 'scheduler_pending_pods',
    help: 'Pods that wait, by the queue that they wait in.',
    stability: 'STABLE',
    labels: ['queue'],
  });
  const pointSeconds = registry.histogram({
    name: 'scheduler_framework_extension_point_duration_seconds',
    help: 'Time that an extension point takes for one pod.',
    stability: 'STABLE',
    labels: ['extension_point', 'profile', 'status'],
    buckets: doubled(0.0001, 12),
  });
  const incoming = registry.counter({
    name: 'scheduler_queue_incoming_pods_total',
    help: 'Pods that came to a queue, by what brought them.',
    stability: 'STABLE',
    labels: ['event', 'queue'],
  });
  const cacheSize = registry.gauge({
    name: 'scheduler_cache_size',
    help: 'Nodes and pods that the scheduler knows, and those that it only assumes.',
    stability: 'ALPHA',
    labels: ['type'],
  });
  return {
    extended(point, profile, status, seconds) {
      pointSeconds.with(point, profile, status).observe(seconds);
    },
    queued: (event, queue) => void incoming.with(event, queue).value++,
    attempt(profile, result, seconds) {
      attempts.with(profile, result).value++;
      attemptSeconds.with(profile, result).observe(seconds);
    },
    searched: (seconds) => searchSeconds.with().observe(seconds),
    scheduled(count, seconds) {
      podAttempts.with().observe(count);
      // bounded: a label value for each number of attempts would never be forgotten
      podSeconds.with(String(Math.min(count, 15))).observe(seconds);
    },
    preempted(count) {
      preemptions.with().value++;
      victims.with().observe(count);
    },
    watch(sizes) {
      let current: (() => SchedulerSizes) | undefined = sizes;
      registry.onCollect(() => {
        if (current === undefined) return;
        const { queue, nodes, pods, assumedPods } = current();
        for (const [name, count] of Object.entries(queue)) pending.with(name).value = count;
        cacheSize.with('nodes').value = nodes;
        cacheSize.with('pods').value = pods;
        cacheSize.with('assumed_pods').value = assumedPods;
      });
      return () => {
        // The collector stays, but holds nothing of a scheduler that ended.
        current = undefined;
        pending.clear();
        cacheSize.clear();
      };
    },
  };
}
