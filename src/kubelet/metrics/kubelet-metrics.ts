import { MetricRegistry } from '#base/metrics.ts';
import { deviceMetrics, storageMetrics } from './storage-metrics.ts';

const common = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const podStart = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800,
  2700, 3600,
];
const pull = [1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];
/** Each 2.5 times the one before. */
const operation = Array.from({ length: 14 }, (_, i) => 0.005 * 2.5 ** i);
const statusSync = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60];

/** What /metrics of the kubelet counts, under upstream's names; one for each kubelet. */
export function createKubeletMetrics() {
  const registry = new MetricRegistry();
  const plain = (name: string, help: string, labels: readonly string[] = []) => ({
    name,
    help,
    labels,
    stability: 'ALPHA' as const,
  });
  const counter = (name: string, help: string, labels: readonly string[] = []) => {
    const made = registry.counter(plain(name, help, labels));
    // One without labels is shown as 0 from the start, as upstream.
    if (labels.length === 0) made.with();
    return made;
  };
  const histogram = (
    name: string,
    help: string,
    labels: readonly string[] = [],
    buckets: readonly number[] = common,
  ) => registry.histogram({ ...plain(name, help, labels), buckets });

  return {
    registry,
    ...runtimeMetrics(counter, histogram),
    ...podMetrics(counter, histogram),
    ...topologyMetrics(counter, histogram),
    ...storageMetrics(counter, histogram),
    ...deviceMetrics(counter, histogram),
    httpRequests: counter('kubelet_http_requests_total', 'Requests that the kubelet answered.', [
      'long_running',
      'method',
      'path',
      'server_type',
    ]),
    httpDuration: histogram(
      'kubelet_http_requests_duration_seconds',
      'Seconds that the kubelet took to answer a request.',
      ['long_running', 'method', 'path', 'server_type'],
    ),
    httpInFlight: registry.gauge(
      plain('kubelet_http_inflight_requests', 'Requests that are being answered.', [
        'long_running',
        'method',
        'path',
        'server_type',
      ]),
    ),
  };
}

export type MakeCounter = (
  name: string,
  help: string,
  labels?: readonly string[],
) => ReturnType<MetricRegistry['counter']>;
export type MakeHistogram = (
  name: string,
  help: string,
  labels?: readonly string[],
  buckets?: readonly number[],
) => ReturnType<MetricRegistry['histogram']>;

function runtimeMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  return {
    operations: counter('kubelet_runtime_operations_total', 'Calls of the container runtime.', [
      'operation_type',
    ]),
    operationErrors: counter(
      'kubelet_runtime_operations_errors_total',
      'Calls of the container runtime that failed.',
      ['operation_type'],
    ),
    operationDuration: histogram(
      'kubelet_runtime_operations_duration_seconds',
      'Seconds that calls of the container runtime took.',
      ['operation_type'],
      operation,
    ),
    sandboxDuration: histogram(
      'kubelet_run_podsandbox_duration_seconds',
      'Seconds that sandboxes took to start.',
      ['runtime_handler'],
    ),
    sandboxErrors: counter(
      'kubelet_run_podsandbox_errors_total',
      'Sandboxes that could not be started.',
      ['runtime_handler'],
    ),
    startedContainers: counter('kubelet_started_containers_total', 'Containers begun.', [
      'container_type',
    ]),
    containerErrors: counter(
      'kubelet_started_containers_errors_total',
      'Containers that could not be started.',
      ['code', 'container_type'],
    ),
    userPods: counter(
      'kubelet_started_user_namespaced_pods_total',
      'Pods begun that have users of their own.',
    ),
    userPodErrors: counter(
      'kubelet_started_user_namespaced_pods_errors_total',
      'Pods with users of their own that could not be started.',
    ),
    startedPods: counter('kubelet_started_pods_total', 'Pods begun.'),
    podErrors: counter('kubelet_started_pods_errors_total', 'Pods that could not be started.'),
    pullDuration: histogram(
      'kubelet_image_pull_duration_seconds',
      'Seconds that pulls took, by the size of the image.',
      ['image_size_in_bytes'],
      pull,
    ),
    collectedImages: counter(
      'kubelet_image_garbage_collected_total',
      'Images removed, for space or for age.',
      ['reason'],
    ),
    relistDuration: histogram(
      'kubelet_pleg_relist_duration_seconds',
      'Seconds that listing the runtime took.',
    ),
    relistInterval: histogram(
      'kubelet_pleg_relist_interval_seconds',
      'Seconds between two lists of the runtime.',
    ),
  };
}

function topologyMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  return {
    topologyRequests: counter(
      'kubelet_topology_manager_admission_requests_total',
      'Pods that the topology manager looked at.',
    ),
    topologyErrors: counter(
      'kubelet_topology_manager_admission_errors_total',
      'Pods that its policy refused.',
    ),
    alignedContainers: counter(
      'kubelet_container_aligned_compute_resources_count',
      'Containers (scope container) or pods that are on one NUMA node for certain.',
      ['boundary', 'scope'],
    ),
    unalignedContainers: counter(
      'kubelet_container_aligned_compute_resources_failure_count',
      'Containers or pods that could not be.',
      ['boundary', 'scope'],
    ),
    topologyDuration: histogram(
      'kubelet_topology_manager_admission_duration_ms',
      'Milliseconds that it took.',
      [],
      Array.from({ length: 15 }, (_, i) => 0.05 * 2 ** i),
    ),
  };
}

function podMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  return {
    workerDuration: histogram(
      'kubelet_pod_worker_duration_seconds',
      'Seconds that a step of a pod took.',
      ['operation_type'],
    ),
    workerStart: histogram(
      'kubelet_pod_worker_start_duration_seconds',
      'Seconds from seeing a pod to its first step.',
    ),
    startDuration: histogram(
      'kubelet_pod_start_duration_seconds',
      'Seconds from seeing a pod to its running.',
      [],
      podStart,
    ),
    startTotal: histogram(
      'kubelet_pod_start_total_duration_seconds',
      'Seconds from the creation of a pod to its running.',
      [],
      podStart,
    ),
    startSli: histogram(
      'kubelet_pod_start_sli_duration_seconds',
      'Seconds from the creation of a pod to its running; pods with init containers or claims are left out.',
      [],
      podStart,
    ),
    statusSync: histogram(
      'kubelet_pod_status_sync_duration_seconds',
      'Seconds from a change of a status to its write.',
      [],
      statusSync,
    ),
    containersPerPod: histogram(
      'kubelet_containers_per_pod_count',
      'Containers of the pods that came.',
      [],
      [1, 2, 4, 8, 16],
    ),
    admissionRejections: counter(
      'kubelet_admission_rejections_total',
      'Pods that were not taken, by reason.',
      ['reason'],
    ),
    evictions: counter('kubelet_evictions', 'Pods ended by eviction, by signal.', [
      'eviction_signal',
    ]),
    preemptions: counter('kubelet_preemptions', 'Pods ended for critical ones, by resource.', [
      'preemption_signal',
    ]),
    orphanedPods: counter(
      'kubelet_orphaned_runtime_pods_total',
      'Pods of the runtime that nobody asked for.',
    ),
  };
}

export type KubeletMetrics = ReturnType<typeof createKubeletMetrics>;
