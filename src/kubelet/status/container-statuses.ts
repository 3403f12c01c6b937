import { formatTime } from '#base/clock.ts';
import type { ContainerState, ContainerStatus, Pod, VolumeMountStatus } from '#schema/types.ts';
import type { ProbeResults } from '../probes/results.ts';
import { isSidecar, runtimeAnnotations, specOf } from '../pods/names.ts';
import type { AnyContainer, ContainerKind, PodContainer } from '../pods/names.ts';
import { hasAnyRegularContainer, isInitRestartable } from '../pods/init-actions.ts';
import { restartingAllMessage, restartingAllReason } from '../pods/restart-all.ts';
import type { Resources } from '../resize/allocation.ts';
import { shouldBeRestarted } from '../pods/restart-policy.ts';
import { criTimeMs, isRunning, lastTwoContainers } from '../pods/runtime-pod.ts';
import type { RuntimeContainer, RuntimePod } from '../pods/runtime-pod.ts';

/** Why a container could not be started the last time. */
export interface StartError {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInputs {
  readonly pod: Pod;
  /** Statuses that were reported last. */
  readonly reported: readonly ContainerStatus[];
  readonly runtimePod: RuntimePod;
  readonly probes: ProbeResults;
  readonly startErrors: ReadonlyMap<string, StartError>;
  /** By container id; read when the container ended. */
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** The pod is going or gone: what is not in the runtime is not waiting to be started. */
  readonly isTerminating: boolean;
  /** What is not in the runtime was removed because the whole pod starts over. */
  readonly isRestartingAll?: boolean | undefined;
  /** What a running container runs with; by default what its spec says. */
  readonly actuated?: ((container: RuntimeContainer) => Resources | undefined) | undefined;
}

/** Statuses of one kind of containers; init containers in spec order, others by name. */
export function containerStatuses(
  kind: ContainerKind,
  inputs: ContainerStatusInputs,
): ContainerStatus[] {
  const containers: readonly AnyContainer[] = specOf(inputs.pod)[kind] ?? [];
  const statuses = containers.map((container) => containerStatus({ container, kind }, inputs));
  if (kind === 'initContainers') return statuses;
  return statuses.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function containerStatus(of: PodContainer, inputs: ContainerStatusInputs): ContainerStatus {
  const { container } = of;
  const { runtimePod } = inputs;
  const before = inputs.reported.find(({ name }) => name === container.name);
  const [latest, previous] = lastTwoContainers(runtimePod, container.name);
  const status =
    latest === undefined
      ? statusWithoutContainer(of, before, inputs)
      : statusFromRuntime(of, latest, previous, before, inputs);
  applyStartError(of, status, inputs);
  applyReadiness(of, status, latest, inputs);
  return status;
}

function defaultWaiting(pod: Pod): ContainerState {
  const hasInit = (specOf(pod).initContainers ?? []).length > 0;
  return { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } };
}

function statusWithoutContainer(
  of: PodContainer,
  before: ContainerStatus | undefined,
  inputs: ContainerStatusInputs,
): ContainerStatus {
  const { container } = of;
  const status: ContainerStatus = {
    name: container.name,
    state: defaultWaiting(inputs.pod),
    lastState: {},
    ready: false,
    restartCount: before?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    started: false,
  };
  if (before === undefined) return status;
  if (inputs.isRestartingAll === true && of.kind !== 'ephemeralContainers') {
    return removedForRestart(status, before);
  }
  if (before.state?.terminated !== undefined) {
    status.state = before.state;
    status.lastState = before.lastState ?? {};
    status.imageID = before.imageID;
    if (before.containerID !== undefined) status.containerID = before.containerID;
    return status;
  }
  if (
    of.kind === 'initContainers' &&
    !isSidecar(of) &&
    hasAnyRegularContainer(inputs.pod, inputs.runtimePod)
  ) {
    status.state = {
      terminated: {
        exitCode: 0,
        reason: 'Completed',
        message:
          'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
      },
    };
    return status;
  }
  status.lastState = before.lastState ?? {};
  if (before.state?.running === undefined) return status;
  return lostContainer(status, inputs.isTerminating);
}

/** Removed with all others because one of them ended with a code whose rule says so. */
function removedForRestart(status: ContainerStatus, before: ContainerStatus): ContainerStatus {
  const reason = restartingAllReason;
  const message = restartingAllMessage;
  const isCounted = before.state?.waiting?.reason === reason;
  const hasRun = before.state?.running !== undefined || before.state?.terminated !== undefined;
  if (!hasRun && !isCounted) return { ...status, lastState: before.lastState ?? {} };
  return {
    ...status,
    restartCount: before.restartCount + (isCounted ? 0 : 1),
    state: { waiting: { reason, message } },
    lastState: isCounted
      ? (before.lastState ?? {})
      : { terminated: { exitCode: 137, reason, message } },
  };
}

/** A container that ran when it was last seen and is not known to the runtime any more. */
function lostContainer(status: ContainerStatus, isTerminating: boolean): ContainerStatus {
  const lost = { exitCode: 137, reason: 'ContainerStatusUnknown' };
  if (isTerminating) {
    const message = 'The container could not be located when the pod was terminated';
    return { ...status, state: { terminated: { ...lost, message } } };
  }
  const message =
    'The container could not be located when the pod was deleted.  The container used to be Running';
  return {
    ...status,
    restartCount: status.restartCount + 1,
    lastState: { terminated: { ...lost, message } },
  };
}

function stateOf(container: RuntimeContainer, inputs: ContainerStatusInputs): ContainerState {
  switch (container.state) {
    case 'CONTAINER_RUNNING':
      return { running: { startedAt: formatTime(criTimeMs(container.startedAt)) } };
    case 'CONTAINER_EXITED': {
      const message = inputs.terminationMessages.get(container.id) ?? container.message;
      return {
        terminated: {
          exitCode: container.exitCode,
          ...(container.reason === '' ? {} : { reason: container.reason }),
          ...(message === '' ? {} : { message }),
          // A container that never started has the epoch here, as upstream shows it.
          startedAt: formatTime(criTimeMs(container.startedAt)),
          finishedAt: formatTime(criTimeMs(container.finishedAt)),
          containerID: `containerd://${container.id}`,
        },
      };
    }
    default:
      return container.state === 'CONTAINER_UNKNOWN'
        ? { terminated: { ...unknownEnd, message: unknownEndMessage } }
        : defaultWaiting(inputs.pod);
  }
}

const unknownEnd = { exitCode: 137, reason: 'ContainerStatusUnknown' };
const unknownEndMessage = 'The container could not be located when the pod was terminated';

function statusFromRuntime(
  of: PodContainer,
  latest: RuntimeContainer,
  previous: RuntimeContainer | undefined,
  before: ContainerStatus | undefined,
  inputs: ContainerStatusInputs,
): ContainerStatus {
  const { container } = of;
  const restartCount = Number(latest.annotations[runtimeAnnotations.restartCount] ?? 0);
  const status: ContainerStatus = {
    name: container.name,
    state: stateOf(latest, inputs),
    lastState: previous === undefined ? keptLastState(latest, before) : stateOf(previous, inputs),
    ready: false,
    restartCount: Number.isNaN(restartCount) ? 0 : restartCount,
    image: imageName(latest, container),
    imageID: latest.imageRef,
    containerID: `containerd://${latest.id}`,
    started: false,
    ...resourceFields(container, isRunning(latest) ? inputs.actuated?.(latest) : undefined),
    ...mountFields(container),
  };
  const user = latest.user?.linux;
  if (user !== undefined && latest.state === 'CONTAINER_RUNNING') {
    status.user = { linux: { ...user } };
  }
  return status;
}

/** The reported last state stays when its container was removed from the runtime meanwhile. */
function keptLastState(
  latest: RuntimeContainer,
  before: ContainerStatus | undefined,
): ContainerState {
  if (before === undefined || before.containerID !== `containerd://${latest.id}`) {
    return before?.state?.terminated === undefined ? (before?.lastState ?? {}) : before.state;
  }
  const last = before.lastState ?? {};
  return last.terminated?.containerID === before.containerID ? {} : last;
}

function imageName(latest: RuntimeContainer, container: AnyContainer): string {
  const { image } = latest;
  if (image === undefined) return container.image ?? '';
  const written = image.userSpecifiedImage ?? '';
  if (image.image.startsWith('sha256:')) return written === '' ? image.image : written;
  return image.image;
}

function resourceFields(
  container: AnyContainer,
  /** What it runs with, when that may differ from what it was allocated. */
  actuated: Resources | undefined,
): Pick<ContainerStatus, 'allocatedResources' | 'resources'> {
  const allocated = container.resources?.requests;
  const { requests, limits } = actuated ?? container.resources ?? {};
  const resources = {
    ...(limits === undefined ? {} : { limits }),
    ...(requests === undefined ? {} : { requests }),
  };
  return allocated === undefined ? { resources } : { allocatedResources: allocated, resources };
}

function mountFields(container: AnyContainer): Pick<ContainerStatus, 'volumeMounts'> {
  const mounts = container.volumeMounts ?? [];
  if (mounts.length === 0) return {};
  return {
    volumeMounts: mounts.map((mount): VolumeMountStatus => {
      const { name, mountPath, readOnly } = mount;
      if (readOnly !== true) return { name, mountPath };
      const recursiveReadOnly = mount.recursiveReadOnly === 'Enabled' ? 'Enabled' : 'Disabled';
      return { name, mountPath, readOnly, recursiveReadOnly };
    }),
  };
}

/** A container that will be started again, but could not be the last time, is waiting. */
function applyStartError(
  of: PodContainer,
  status: ContainerStatus,
  { pod, runtimePod, startErrors, isTerminating }: ContainerStatusInputs,
): void {
  const { container, kind } = of;
  const error = startErrors.get(container.name);
  if (error === undefined || isTerminating) return;
  const ended = status.state?.terminated;
  const isRegularInit = kind === 'initContainers' && !isSidecar(of);
  const isWanted =
    isRegularInit && ended !== undefined
      ? isInitRestartable(container, pod, ended.exitCode)
      : shouldBeRestarted(container, pod, runtimePod);
  if (!isWanted) return;
  if (ended !== undefined) status.lastState = { terminated: ended };
  const { reason, message } = error;
  status.state = { waiting: message === '' ? { reason } : { reason, message } };
}

function applyReadiness(
  of: PodContainer,
  status: ContainerStatus,
  latest: RuntimeContainer | undefined,
  { probes }: ContainerStatusInputs,
): void {
  const { container, kind } = of;
  if (kind === 'ephemeralContainers') {
    delete status.started;
    return;
  }
  if (status.state?.running === undefined || latest === undefined) {
    if (kind === 'initContainers' && !isSidecar(of)) {
      status.ready = status.state?.terminated?.exitCode === 0;
    }
    return;
  }
  status.started =
    container.startupProbe === undefined || probes.get('startup', latest.id) === 'Success';
  if (kind === 'initContainers' && !isSidecar(of)) return;
  status.ready =
    status.started &&
    (container.readinessProbe === undefined || probes.get('readiness', latest.id) === 'Success');
}
