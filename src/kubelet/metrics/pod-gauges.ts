import type { MetricRegistry } from '#base/metrics.ts';
import type { Pod } from '#schema/types.ts';
import type { CpuManager } from '../cpus/mod.ts';
import type { MemoryManager } from '../memory/mod.ts';
import type { ContainerState } from '../cri/mod.ts';
import { isMirrorPod, isStaticPod, specOf, uidOf } from '../pods/names.ts';
import type { PodRegistry } from '../pods/pod-registry.ts';
import type { PodStage } from '../pods/pod-worker.ts';
import type { RuntimeCache } from '../pods/runtime-cache.ts';
import { readySandbox } from '../pods/runtime-pod.ts';

const stateNames: Readonly<Record<ContainerState, string>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

const lifecycles: Readonly<Record<PodStage, string>> = {
  syncing: 'sync',
  terminating: 'terminating',
  terminated: 'terminated',
  finished: 'terminated',
};

export interface PodGaugeOptions {
  readonly nodeName: string;
  readonly cgroupVersion: 1 | 2;
  readonly registry: Pick<PodRegistry, 'states' | 'active'>;
  readonly cache: Pick<RuntimeCache, 'pods'>;
  readonly lastRelistMs: () => number;
  readonly resizeFindings: (
    uid: string,
  ) => readonly { type: string; reason?: string | undefined }[];
  readonly mirrorCount: () => number;
  readonly cpus: Pick<CpuManager, 'policy' | 'counts'> | undefined;
  readonly memory?: Pick<MemoryManager, 'counts'> | undefined;
}

/** Numbers that are looked up at each scrape: what there is now of pods and containers. */
export function addPodGauges(metrics: MetricRegistry, options: PodGaugeOptions): void {
  const gauge = (name: string, help: string, labels: readonly string[] = []) =>
    metrics.gauge({ name, help, labels, stability: 'ALPHA' });
  gauge('kubelet_node_name', "The node's name. The count is always 1.", ['node']).with(
    options.nodeName,
  ).value = 1;
  gauge('kubelet_cgroup_version', 'Version of cgroups on the machine.').with().value =
    options.cgroupVersion;
  const lastSeen = gauge(
    'kubelet_pleg_last_seen_seconds',
    'When the runtime was listed last, in seconds since 1970.',
  ).with();
  const runningPods = gauge(
    'kubelet_running_pods',
    'Number of pods that have a running pod sandbox',
  ).with();
  const containers = gauge('kubelet_running_containers', 'Containers of the runtime, by state.', [
    'container_state',
  ]);
  const ephemeral = gauge(
    'kubelet_managed_ephemeral_containers',
    'Ephemeral containers in the pods of this node.',
  ).with();
  const mirrors = gauge('kubelet_mirror_pods', 'Mirror pods that the kubelet keeps.').with();
  const pending = gauge('kubelet_pod_pending_resizes', 'Resizes that wait, by reason.', ['reason']);
  const inProgress = gauge(
    'kubelet_pod_in_progress_resizes',
    'Resizes that are being done.',
  ).with();
  metrics.onCollect(() => {
    lastSeen.value = options.lastRelistMs() / 1000;
    const known = options.cache.pods();
    runningPods.value = known.filter((pod) => readySandbox(pod) !== undefined).length;
    containers.clear();
    for (const { state } of known.flatMap((pod) => pod.containers)) {
      containers.with(stateNames[state]).value += 1;
    }
    const pods = options.registry.states().map(({ pod }) => pod);
    ephemeral.value = pods.reduce(
      (sum, pod) => sum + (specOf(pod).ephemeralContainers?.length ?? 0),
      0,
    );
    mirrors.value = options.mirrorCount();
    pending.clear();
    inProgress.value = 0;
    for (const { type, reason = '' } of pods.flatMap((pod) => options.resizeFindings(uidOf(pod)))) {
      if (type === 'PodResizePending') pending.with(reason.toLowerCase()).value += 1;
      else inProgress.value += 1;
    }
  });
  addPodCounts(metrics, options);
  addCpuGauges(metrics, options.cpus);
  addMemoryCounters(metrics, options.memory);
}

/** Pods as they are wanted, as they are active, and by what is done with them. */
function addPodCounts(metrics: MetricRegistry, { registry }: PodGaugeOptions): void {
  const gauge = (name: string, help: string, labels: readonly string[]) =>
    metrics.gauge({ name, help, labels, stability: 'ALPHA' });
  const desired = gauge('kubelet_desired_pods', 'Pods that this node is to run.', ['static']);
  const active = gauge('kubelet_active_pods', 'Pods that take resources of this node.', ['static']);
  const working = gauge('kubelet_working_pods', 'Pods that have a worker, by what it does.', [
    'config',
    'lifecycle',
    'static',
  ]);
  const isStatic = (pod: Pod): string => (isStaticPod(pod) ? 'true' : '');
  metrics.onCollect(() => {
    for (const metric of [desired, active]) {
      metric.clear();
      for (const label of ['', 'true']) metric.with(label).value = 0;
    }
    working.clear();
    for (const { pod, stage } of registry.states()) {
      if (isMirrorPod(pod)) continue;
      desired.with(isStatic(pod)).value += 1;
      working.with('desired', lifecycles[stage], isStatic(pod)).value += 1;
    }
    for (const pod of registry.active()) active.with(isStatic(pod)).value += 1;
  });
}

function addCpuGauges(metrics: MetricRegistry, cpus: PodGaugeOptions['cpus']): void {
  if (cpus === undefined || cpus.policy === 'none') return;
  const plain = (name: string, help: string) => ({ name, help, stability: 'ALPHA' as const });
  const shared = metrics
    .gauge(plain('kubelet_cpu_manager_shared_pool_size_millicores', 'CPUs that containers share.'))
    .with();
  const exclusive = metrics
    .gauge(
      plain(
        'kubelet_cpu_manager_exclusive_cpu_allocation_count',
        'CPUs that containers have for themselves.',
      ),
    )
    .with();
  const requests = metrics
    .counter(plain('kubelet_cpu_manager_pinning_requests_total', 'Containers that asked for CPUs.'))
    .with();
  const errors = metrics
    .counter(plain('kubelet_cpu_manager_pinning_errors_total', 'Containers that got none.'))
    .with();
  metrics.onCollect(() => {
    const counts = cpus.counts();
    shared.value = counts.shared * 1000;
    exclusive.value = counts.exclusive;
    requests.value = counts.requests;
    errors.value = counts.errors;
  });
}

function addMemoryCounters(metrics: MetricRegistry, memory: PodGaugeOptions['memory']): void {
  if (memory === undefined) return;
  const counter = (name: string, help: string) =>
    metrics.counter({ name, help, stability: 'ALPHA' }).with();
  const requests = counter(
    'kubelet_memory_manager_pinning_requests_total',
    'Containers that asked for memory of NUMA nodes.',
  );
  const errors = counter(
    'kubelet_memory_manager_pinning_errors_total',
    'Containers that got none.',
  );
  metrics.onCollect(() => {
    const counts = memory.counts();
    requests.value = counts.requests;
    errors.value = counts.errors;
  });
}
