import { K3tsError, messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { Pod } from '#schema/types.ts';
import { hostNetworkHostsFile, podHostsFile } from '../containers/hosts-file.ts';
import { CriError, isRuntimeAway } from '../cri/mod.ts';
import type { PodSandboxStatus } from '../cri/mod.ts';
import type { StartError } from '../status/container-statuses.ts';
import type { MountedVolumes } from '../volume-host.ts';
import type { ContainerToKill, PodActions } from './action-types.ts';
import { startContainer } from './container-starter.ts';
import { stopContainer } from './container-stopper.ts';
import { findContainer, podKey, specOf, uidOf } from './names.ts';
import type { AnyContainer } from './names.ts';
import { computePodActions } from './pod-actions.ts';
import type { PodContext } from './pod-context.ts';
import { stopPod } from './pod-stopper.ts';
import { resetPod } from './reset-pod.ts';
import { updateContainers } from '../resize/actuate-resize.ts';
import { sandboxIps } from './runtime-pod.ts';
import { describeSandbox, startSandbox } from './sandbox-starter.ts';
import type { Sandbox } from './sandbox-starter.ts';
import { ContainerStartError } from './start-error.ts';

/** What is remembered of a pod between two syncs. */
export interface PodMemory {
  /** Why each container could not be started the last time; by container name. */
  readonly startErrors: Map<string, StartError>;
  /** What ended containers left behind; by container id. */
  readonly terminationMessages: Map<string, string>;
  /** The runtime failed at something: it may have done it all the same, and the cache not know. */
  isRuntimeUncertain: boolean;
  hasCgroup: boolean;
  /** All volumes were there once: containers can be started. */
  hasVolumes: boolean;
  /** When the content of volumes was last compared with its sources. */
  resyncedMs: number;
  /** The labels and annotations that were compared then; volumes may show them. */
  resyncedMetadata: string;
}

export interface SyncResult {
  /** Everything of the pod is done or stopped for good. */
  readonly isFinished: boolean;
  /** When the next sync is due because of a back-off; undefined for none. */
  readonly retryAtMs: number | undefined;
  /** Something could not be started. */
  readonly hasFailed: boolean;
  /** That was because the runtime does not answer. */
  readonly isRuntimeAway: boolean;
}

export interface SyncRequest {
  readonly pod: Pod;
  readonly memory: PodMemory;
  readonly signal: AbortSignal;
  /** Tells that the pod's status may have changed. */
  readonly publish: () => Promise<void>;
}

/** Each round starts what the one before made possible; a pod has at most this many steps. */
const maxRounds = 64;

/** Thrown while the runtime's network is missing; tried again each second. */
export class NetworkNotReadyError extends K3tsError {
  constructor(message: string) {
    super('NetworkNotReady', message);
    this.name = 'NetworkNotReadyError';
  }
}

/**
 * Brings the pod in the runtime to what it asks for, as far as that is possible now. Failures of
 * single containers are remembered and do not stop the others; failures of the cgroup, the volumes
 * or the sandbox reject.
 */
export async function syncPod(request: SyncRequest, context: PodContext): Promise<SyncResult> {
  const { memory } = request;
  // What was started and not told of would be started a second time.
  if (memory.isRuntimeUncertain) await context.pleg.relist();
  memory.isRuntimeUncertain = false;
  try {
    return await syncRounds(request, context);
  } catch (error) {
    memory.isRuntimeUncertain = true;
    throw error;
  }
}

async function syncRounds(request: SyncRequest, context: PodContext): Promise<SyncResult> {
  const { pod, memory } = request;
  await prepare(request, context);
  const result = {
    retryAtMs: undefined as number | undefined,
    hasFailed: false,
    isRuntimeAway: false,
  };
  for (let round = 0; round < maxRounds; round++) {
    request.signal.throwIfAborted();
    const runtimePod = context.cache.pod(uidOf(pod));
    const { probes, resizes } = context;
    const actions = computePodActions({ pod, runtimePod, probes, changeOf: resizes.changeOf });
    if (actions.killPod && !actions.createSandbox) return { ...result, isFinished: true };
    const starts = [...actions.ephemeralToStart, ...actions.initToStart, ...actions.toStart];
    const changeCount =
      starts.length + actions.toKill.length + actions.toReset.length + actions.toUpdate.length;
    if (!actions.createSandbox && changeCount === 0) {
      memory.startErrors.clear();
      await finishResize(request, context);
      await resyncVolumes(request, context);
      break;
    }
    const step = await carryOut(actions, request, context);
    if (step.retryAtMs !== undefined) {
      result.retryAtMs = Math.min(result.retryAtMs ?? Infinity, step.retryAtMs);
    }
    result.hasFailed ||= step.hasFailed;
    result.isRuntimeAway ||= step.isRuntimeAway === true;
    if (step.hasFailed || !step.hasStarted) break;
  }
  return { ...result, isFinished: false };
}

/** Takes what containers no longer need from the pod's cgroup; the resize is done then. */
async function finishResize({ pod, publish }: SyncRequest, context: PodContext): Promise<void> {
  const { resizes, cgroups } = context;
  if (!resizes.isInProgress(uidOf(pod))) return;
  await cgroups.create(pod);
  resizes.completed(pod);
  void publish();
}

async function prepare({ pod, memory }: SyncRequest, context: PodContext): Promise<void> {
  const problem = context.networkProblem();
  if (problem !== undefined && specOf(pod).hostNetwork !== true) {
    context.events.pod(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
    throw new NetworkNotReadyError(problem);
  }
  const isResizing = context.resizes.isInProgress(uidOf(pod));
  if (!memory.hasCgroup || isResizing) {
    await makeCgroup(isResizing ? context.resizes.whileInProgress(pod) : pod, context);
    memory.hasCgroup = true;
  }
  context.probes.addPod(pod);
}

async function makeCgroup(pod: Pod, { cgroups, events }: PodContext): Promise<void> {
  try {
    await traced('pod.cgroup', { key: podKey(pod), uid: uidOf(pod) }, () => cgroups.create(pod));
  } catch (error) {
    const message = `unable to ensure pod container exists: ${messageOf(error)}`;
    events.pod(pod, 'Warning', 'FailedCreatePodContainer', message);
    throw error;
  }
}

/** Syncs for other reasons come more often than sources change. */
const resyncIntervalMs = 30_000;

async function resyncVolumes(
  { pod, memory, signal }: SyncRequest,
  { clock, volumes }: PodContext,
): Promise<void> {
  const metadata = JSON.stringify([pod.metadata.labels, pod.metadata.annotations]);
  const isFresh = clock.now() - memory.resyncedMs < resyncIntervalMs;
  if (isFresh && metadata === memory.resyncedMetadata) return;
  memory.resyncedMetadata = metadata;
  const isFirst = memory.resyncedMs === 0;
  memory.resyncedMs = clock.now();
  if ((specOf(pod).volumes ?? []).length === 0) return;
  // The volumes of a pod from before a restart must be taken over; others are fresh by now.
  if (isFirst) await volumes.mount(pod, signal);
  else await volumes.resync(pod, signal);
}

/** What a round of a sync did. */
export interface StepResult {
  hasStarted: boolean;
  hasFailed: boolean;
  retryAtMs: number | undefined;
  isRuntimeAway?: boolean | undefined;
}

async function carryOut(
  actions: PodActions,
  request: SyncRequest,
  context: PodContext,
): Promise<StepResult> {
  const { pod, signal } = request;
  if (actions.killPod) {
    const { sandboxes } = context.cache.pod(uidOf(pod));
    if (sandboxes.length > 0) {
      const message = 'Pod sandbox changed, it will be killed and re-created.';
      context.events.pod(pod, 'Normal', 'SandboxChanged', message);
    }
    await stopPod(pod, { graceSeconds: undefined, signal }, context);
  }
  if (actions.toReset.length > 0) return await resetPod(actions.toReset, request, context);
  await Promise.all(actions.toKill.map((kill) => killForRestart(kill, request, context)));
  const isUpdated = await updateContainers(pod, actions.toUpdate, context, signal);
  if (actions.ephemeralToStart.length + actions.initToStart.length + actions.toStart.length === 0) {
    const hasChanged = actions.toKill.length + actions.toUpdate.length > 0;
    return { hasStarted: hasChanged, hasFailed: !isUpdated, retryAtMs: undefined };
  }
  const [sandbox, mounted] = await sandboxAndVolumes(actions, request, context);
  request.memory.hasVolumes = true;
  const hostsPath = await writeHosts(pod, sandbox.sandbox, context);
  return await startAll(actions, { ...request, ...sandbox, mounted, hostsPath }, context);
}

/** Volumes and sandbox do not need each other; both must be there before a container is. */
async function sandboxAndVolumes(
  actions: PodActions,
  request: SyncRequest,
  context: PodContext,
): Promise<[Sandbox, MountedVolumes]> {
  const { pod, signal } = request;
  const giveUp = new AbortController();
  const either = AbortSignal.any([signal, giveUp.signal]);
  const mounting = mountVolumes({ ...request, signal: either }, context);
  mounting.catch(() => undefined);
  try {
    const sandbox = actions.createSandbox
      ? await startSandbox(pod, actions.attempt, context, signal)
      : await presentSandbox(actions, request, context);
    return [sandbox, await mounting];
  } catch (error) {
    // The next step mounts again, or removes the pod's directory: never beside this one.
    giveUp.abort(error);
    await mounting.catch(() => undefined);
    throw error;
  }
}

async function killForRestart(
  { status, container, message, reason }: ContainerToKill,
  { pod, signal }: SyncRequest,
  context: PodContext,
): Promise<void> {
  const of = findContainer(pod, container.name) ?? { container, kind: 'containers' as const };
  const probe = reason === 'liveness' ? container.livenessProbe : container.startupProbe;
  const isProbe = reason === 'liveness' || reason === 'startup';
  const graceSeconds = isProbe ? probe?.terminationGracePeriodSeconds : undefined;
  await stopContainer({ pod, of, status, message, graceSeconds, signal }, context);
}

async function mountVolumes(
  { pod, signal }: SyncRequest,
  { volumes, events }: PodContext,
): Promise<MountedVolumes> {
  try {
    return await traced('pod.mount-volumes', { key: podKey(pod), uid: uidOf(pod) }, () =>
      volumes.mount(pod, signal),
    );
  } catch (error) {
    if (!signal.aborted) events.pod(pod, 'Warning', 'FailedMount', messageOf(error));
    throw error;
  }
}

async function presentSandbox(
  { sandboxId = '', attempt }: PodActions,
  { pod }: SyncRequest,
  context: PodContext,
): Promise<Sandbox> {
  const sandbox = context.cache.sandbox(sandboxId);
  if (sandbox === undefined) throw new K3tsError('SandboxGone', `sandbox ${sandboxId} is gone`);
  const { hostUsers } = specOf(pod);
  const handler = hostUsers === false ? await context.runtimeHandler(pod) : '';
  const userNamespace = await context.userNamespaces.of(pod, handler);
  const options = { isWarning: false, userNamespace };
  return { sandbox, config: await describeSandbox(pod, attempt, context, options), userNamespace };
}

/** The managed hosts file, when the pod has addresses to put there. */
async function writeHosts(
  pod: Pod,
  sandbox: PodSandboxStatus,
  { hostFiles, config }: PodContext,
): Promise<string | undefined> {
  if (specOf(pod).hostNetwork === true) {
    const text = hostNetworkHostsFile(pod, await hostFiles.readHosts());
    return await hostFiles.writeEtcHosts(uidOf(pod), text);
  }
  const ips = sandboxIps(sandbox);
  if (ips.length === 0) return undefined;
  return await hostFiles.writeEtcHosts(uidOf(pod), podHostsFile(pod, ips, config.clusterDomain));
}

const tellAfterMs = 3_000;

interface StartAllRequest extends SyncRequest, Sandbox {
  readonly mounted: MountedVolumes;
  readonly hostsPath: string | undefined;
}

/** Ephemeral containers, then init containers up to the first that fails, then the regular ones. */
async function startAll(
  actions: PodActions,
  request: StartAllRequest,
  context: PodContext,
): Promise<StepResult> {
  const result: StepResult = { hasStarted: false, hasFailed: false, retryAtMs: undefined };
  const start = async (container: AnyContainer): Promise<boolean> => {
    const error = await tryStart(container, request, context);
    if (error === undefined) {
      result.hasStarted = true;
      return true;
    }
    result.hasFailed = true;
    result.isRuntimeAway ||= isRuntimeAway(error);
    if (error.retryAtMs !== undefined) {
      result.retryAtMs = Math.min(result.retryAtMs ?? Infinity, error.retryAtMs);
    }
    return false;
  };
  // The pod's address is told before the end of a long pull; mostly a container runs before that.
  const telling = context.clock.after(tellAfterMs, () => void request.publish());
  try {
    for (const container of actions.ephemeralToStart) await start(container);
    for (const container of actions.initToStart) {
      const isStarted = await start(container);
      if (!isStarted && container.restartPolicy !== 'Always') return result;
    }
    for (const container of actions.toStart) await start(container);
  } finally {
    telling.cancel();
  }
  return result;
}

async function tryStart(
  container: AnyContainer,
  request: StartAllRequest,
  context: PodContext,
): Promise<ContainerStartError | undefined> {
  const { pod, memory, signal, publish } = request;
  const of = findContainer(pod, container.name) ?? { container, kind: 'containers' as const };
  const runtimePod = context.cache.pod(uidOf(pod));
  const onStarted = (): void => {
    memory.startErrors.delete(container.name);
    void publish();
  };
  try {
    const sandboxConfig = request.config;
    await startContainer({ ...request, of, runtimePod, sandboxConfig, onStarted }, context);
    return undefined;
  } catch (error) {
    if (signal.aborted || !(error instanceof ContainerStartError)) throw error;
    memory.startErrors.set(container.name, { reason: error.reason, message: error.message });
    memory.isRuntimeUncertain ||= error.cause instanceof CriError;
    void publish();
    return error;
  }
}
