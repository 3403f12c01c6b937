import type {
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  PodTemplate,
} from '../generated/types.ts';
import type { Cell } from './cell-text.ts';
import { age, containerCells, labelText, none } from './cell-text.ts';

/** What `kubectl get pods` says of a pod, beside its name. */
export interface PodSummary {
  status: string;
  ready: number;
  total: number;
  restarts: number;
  /** When a container ended last, of those whose restarts count. */
  lastRestart: string | undefined;
}

function isTrue(pod: Pod, type: string): boolean {
  return (
    pod.status?.conditions?.some((item) => item.type === type && item.status === 'True') === true
  );
}

function endOf(state: ContainerStateTerminated): string {
  if (state.reason !== undefined && state.reason !== '') return state.reason;
  const { signal = 0 } = state;
  return signal === 0 ? `ExitCode:${state.exitCode}` : `Signal:${signal}`;
}

/** Counts restarts and remembers the latest end. */
class Restarts {
  count = 0;
  last: string | undefined;

  add(status: ContainerStatus): void {
    this.count += status.restartCount;
    const finished = status.lastState?.terminated?.finishedAt;
    if (finished === undefined || finished === null) return;
    if (this.last === undefined || Date.parse(finished) > Date.parse(this.last))
      this.last = finished;
  }
}

/** Why the init containers are not done, or undefined when they are. Same order as upstream. */
function initReason(
  pod: Pod,
  summary: PodSummary,
  all: Restarts,
  sidecars: Restarts,
): string | undefined {
  const specs = pod.spec?.initContainers ?? [];
  const restartable = new Set(
    specs.filter((item) => item.restartPolicy === 'Always').map((item) => item.name),
  );
  summary.total += restartable.size;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    all.add(status);
    const isSidecar = restartable.has(status.name);
    if (isSidecar) sidecars.add(status);
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && status.started === true) {
      if (status.ready) summary.ready++;
      continue;
    }
    if (terminated !== undefined) return `Init:${endOf(terminated)}`;
    const reason = waiting?.reason ?? '';
    if (reason !== '' && reason !== 'PodInitializing') return `Init:${reason}`;
    return `Init:${index}/${specs.length}`;
  }
  return undefined;
}

/** What the main containers add; the first container with something to say has the last word. */
function containerReason(
  pod: Pod,
  before: string,
  summary: PodSummary,
  restarts: Restarts,
): string {
  let reason = before;
  let failure: string | undefined;
  let isRunning = false;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    restarts.add(status);
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason !== undefined && waiting.reason !== '') {
      reason = waiting.reason;
    } else if (terminated !== undefined) {
      reason = endOf(terminated);
      if (terminated.exitCode !== 0) failure = reason;
    } else if (status.ready && running !== undefined) {
      isRunning = true;
      summary.ready++;
    }
  }
  if (reason !== 'Completed') return reason;
  if (isRunning && isTrue(pod, 'Ready')) return 'Running';
  if (failure !== undefined) return failure;
  return isRunning ? 'NotReady' : reason;
}

export function summarizePod(pod: Pod): PodSummary {
  const { status = {} } = pod;
  const total = pod.spec?.containers.length ?? 0;
  const summary: PodSummary = { status: '', ready: 0, total, restarts: 0, lastRestart: undefined };
  let reason = status.reason || status.phase || '';
  const isGated = (status.conditions ?? []).some(
    (item) => item.type === 'PodScheduled' && item.reason === 'SchedulingGated',
  );
  if (isGated) reason = 'SchedulingGated';
  const all = new Restarts();
  const sidecars = new Restarts();
  const initializing = initReason(pod, summary, all, sidecars);
  let counted = all;
  if (initializing !== undefined) reason = initializing;
  if (initializing === undefined || isTrue(pod, 'Initialized')) {
    counted = sidecars;
    reason = containerReason(pod, reason, summary, counted);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    const isOver = status.phase === 'Succeeded' || status.phase === 'Failed';
    if (status.reason === 'NodeLost') reason = 'Unknown';
    else if (!isOver) reason = 'Terminating';
  }
  return { ...summary, status: reason, restarts: counted.count, lastRestart: counted.last };
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return none;
  return `${gates.filter((gate) => isTrue(pod, gate.conditionType)).length}/${gates.length}`;
}

export function podCells(pod: Pod, nowMs: number): Cell[] {
  const { status, ready, total, restarts, lastRestart } = summarizePod(pod);
  const ago =
    restarts !== 0 && lastRestart !== undefined ? ` (${age(lastRestart, nowMs)} ago)` : '';
  return [
    pod.metadata.name,
    `${ready}/${total}`,
    status,
    `${restarts}${ago}`,
    age(pod.metadata.creationTimestamp, nowMs),
    pod.status?.podIPs?.[0]?.ip || none,
    pod.spec?.nodeName || none,
    pod.status?.nominatedNodeName || none,
    readinessGates(pod),
  ];
}

export function podTemplateCells(template: PodTemplate): Cell[] {
  const [names, images] = containerCells(template.template?.spec);
  return [template.metadata.name, names, images, labelText(template.template?.metadata?.labels)];
}
