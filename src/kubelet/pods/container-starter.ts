import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { EphemeralContainer, Pod } from '#schema/types.ts';
import { containerConfig } from '../containers/container-config.ts';
import { containerHash } from '../containers/spec-hash.ts';
import { CriError } from '../cri/mod.ts';
import type { PodSandboxConfig, PodSandboxStatus, UserNamespace } from '../cri/mod.ts';
import { withCpus } from '../cpus/with-cpus.ts';
import { withMemoryNodes } from '../memory/mod.ts';
import { withDevices } from '../devices/with-devices.ts';
import { goDuration } from '../go-duration.ts';
import type { ReadyImage } from '../images/image-puller.ts';
import { linkContainerLog } from '../logs/log-links.ts';
import type { MountedVolumes } from '../volume-host.ts';
import { stopContainer } from './container-stopper.ts';
import { withImageVolumes } from './image-volumes.ts';
import { runLifecycleHook } from './lifecycle-hooks.ts';
import { podKey, podLogDirectory, podText, runtimeAnnotations, uidOf } from './names.ts';
import type { AnyContainer, PodContainer } from './names.ts';
import type { PodContext } from './pod-context.ts';
import {
  containerNameOf,
  criTimeMs,
  isExited,
  latestContainer,
  sandboxIps,
} from './runtime-pod.ts';
import type { RuntimePod } from './runtime-pod.ts';
import { ContainerStartError } from './start-error.ts';

export interface StartRequest {
  readonly pod: Pod;
  readonly of: PodContainer;
  readonly runtimePod: RuntimePod;
  readonly sandbox: PodSandboxStatus;
  readonly sandboxConfig: PodSandboxConfig;
  readonly mounted: MountedVolumes;
  readonly hostsPath: string | undefined;
  readonly userNamespace: UserNamespace | undefined;
  readonly signal: AbortSignal;
  /** Called as soon as the container runs, before its postStart hook. */
  readonly onStarted: () => void;
}

/** Pulls, creates and starts one container. Throws ContainerStartError; reports its own events. */
export async function startContainer(asked: StartRequest, context: PodContext): Promise<void> {
  const { pod, of, signal } = asked;
  const { events } = context;
  checkBackOff(asked, context);
  const request = { ...asked, mounted: await withImageVolumes(asked, context) };
  const image = await ensureImage(request, context);
  await endPredecessor(request, context);
  const attempt = await nextAttempt(request, context);
  const id = await createContainer(request, context, image, attempt);
  events.container(pod, of, 'Normal', 'Created', 'Container created');
  await runContainer(request, context, id);
  events.container(pod, of, 'Normal', 'Started', 'Container started');
  await linkContainerLog({ pod, name: of.container.name, id, attempt, paths: context.hostPaths });
  request.onStarted();
  context.probes.kick(uidOf(pod));
  context.pleg.expectChange();
  const postStart = of.container.lifecycle?.postStart;
  if (postStart === undefined) return;
  const podIp = sandboxIps(request.sandbox)[0] ?? context.hostIps()[0] ?? '';
  const target = { pod, container: of.container, containerId: id, podIp };
  try {
    await runLifecycleHook(postStart, target, { ...context, signal });
  } catch (error) {
    context.log.warning('a postStart hook failed', { pod: podKey(pod), error: messageOf(error) });
    events.container(pod, of, 'Warning', 'FailedPostStartHook', 'PostStartHook failed');
    const started = latestContainer(context.cache.pod(uidOf(pod)), of.container.name);
    if (started !== undefined) {
      const message = 'FailedPostStartHook';
      await stopContainer(
        { pod, of, status: started, message, graceSeconds: undefined, signal },
        context,
      );
    }
    throw new ContainerStartError('PostStartHookError', messageOf(error), { cause: error });
  }
}

/** One key per pod, container and what the container is, so that a new image starts at once. */
export function crashKey(pod: Pod, container: AnyContainer): string {
  return `${uidOf(pod)}_${container.name}_${containerHash(container)}`;
}

function checkBackOff({ pod, of, runtimePod }: StartRequest, context: PodContext): void {
  const { clock, crashBackOff, events } = context;
  const { container } = of;
  const last = latestContainer(runtimePod, container.name);
  if (last === undefined || !isExited(last)) return;
  const endedMs = criTimeMs(last.finishedAt);
  const key = crashKey(pod, container);
  const remainingMs = crashBackOff.remainingMs(key, endedMs);
  if (remainingMs <= 0) {
    crashBackOff.next(key, endedMs);
    return;
  }
  const text = podText(pod);
  const message = `Back-off restarting failed container ${container.name} in pod ${text}`;
  events.container(pod, of, 'Warning', 'BackOff', message);
  const delay = goDuration(crashBackOff.delayMs(key));
  throw new ContainerStartError(
    'CrashLoopBackOff',
    `back-off ${delay} restarting failed container=${container.name} pod=${text}`,
    { retryAtMs: clock.now() + remainingMs },
  );
}

/** No container runs beside the one that it takes the place of, whatever the runtime says. */
async function endPredecessor(
  { pod, of, runtimePod }: StartRequest,
  { cgroups }: PodContext,
): Promise<void> {
  try {
    for (const status of runtimePod.containers) {
      if (containerNameOf(status) !== of.container.name) continue;
      await cgroups.removeContainer(pod, status.id);
    }
  } catch (error) {
    throw new ContainerStartError('RunContainerError', messageOf(error), { cause: error });
  }
}

async function ensureImage(request: StartRequest, context: PodContext): Promise<ReadyImage> {
  const { pod, of } = request;
  try {
    const { image = '', imagePullPolicy: pullPolicy } = of.container;
    return await context.puller.ensure({ ...request, image, pullPolicy });
  } catch (error) {
    if (!(error instanceof ContainerStartError)) throw error;
    context.events.container(pod, of, 'Warning', 'Failed', `Error: ${error.reason}`);
    throw error;
  }
}

/** One more than the newest container's; without one, its log files remember. */
async function nextAttempt(
  { pod, of, runtimePod }: StartRequest,
  { hostPaths }: PodContext,
): Promise<number> {
  const last = latestContainer(runtimePod, of.container.name);
  if (last !== undefined) return Number(last.annotations[runtimeAnnotations.restartCount] ?? 0) + 1;
  const directory = join(podLogDirectory(hostPaths.podLogs, pod), of.container.name);
  try {
    const attempts = (await readdir(directory))
      .map((name) => /^(\d+)\.log/.exec(name)?.[1])
      .filter((text) => text !== undefined)
      .map(Number);
    return attempts.length === 0 ? 0 : Math.max(...attempts) + 1;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

/** The container whose processes an ephemeral one is to see. */
function targetIdOf({ container, kind }: PodContainer, runtimePod: RuntimePod): string | undefined {
  const { targetContainerName = '' } = container as EphemeralContainer;
  if (kind !== 'ephemeralContainers' || targetContainerName === '') return undefined;
  const target = latestContainer(runtimePod, targetContainerName);
  if (target === undefined)
    throw new Error(`unable to find target container ${targetContainerName}`);
  return target.id;
}

async function createContainer(
  request: StartRequest,
  context: PodContext,
  image: ReadyImage,
  attempt: number,
): Promise<string> {
  const { pod, of, sandbox, sandboxConfig, runtimePod, signal } = request;
  const fail = (reason: string, error: unknown): ContainerStartError => {
    const text = runtimeText(error);
    context.events.container(pod, of, 'Warning', 'Failed', `Error: ${text}`);
    return new ContainerStartError(reason, text, { cause: error });
  };
  let config;
  try {
    const directory = join(podLogDirectory(context.hostPaths.podLogs, pod), of.container.name);
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const hostIps = context.hostIps();
    config = await containerConfig(
      {
        ...request,
        container: of.container,
        attempt,
        imageRef: image.ref,
        image: image.image,
        podIps: pod.spec?.hostNetwork === true ? hostIps : sandboxIps(sandbox),
        hostIps,
        targetId: targetIdOf(of, runtimePod),
      },
      context.containers,
    );
    config = withDevices(config, await context.devices.prepare(pod, of.container.name));
    const { name } = of.container;
    config = withCpus(config, context.cpus?.cpusetOf(uidOf(pod), name) ?? '');
    config = withMemoryNodes(config, context.memory?.nodesOf(uidOf(pod), name) ?? '');
  } catch (error) {
    throw fail('CreateContainerConfigError', error);
  }
  const subject = { key: podKey(pod), uid: uidOf(pod), detail: of.container.name };
  try {
    return await traced('pod.create-container', subject, () =>
      context.runtime.createContainer(sandbox.id, config, sandboxConfig, { signal }),
    );
  } catch (error) {
    throw fail('CreateContainerError', error);
  }
}

/** The runtime's own words, without the frame of gRPC. */
function runtimeText(error: unknown): string {
  return error instanceof CriError ? error.details : messageOf(error);
}

async function runContainer(
  { pod, of, sandbox, signal }: StartRequest,
  { runtime, cache, events }: PodContext,
  id: string,
): Promise<void> {
  const subject = { key: podKey(pod), uid: uidOf(pod), detail: of.container.name };
  try {
    await traced('pod.start-container', subject, () => runtime.startContainer(id, { signal }));
  } catch (error) {
    const text = runtimeText(error);
    // Ids would make each try's event another one.
    const shown = text.replaceAll(id, of.container.name);
    events.container(pod, of, 'Warning', 'Failed', `Error: ${shown}`);
    // What the runtime says about the attempt becomes the last state.
    await runtime
      .containerStatus(id)
      .then((status) => cache.putContainer(status, sandbox.id))
      .catch(() => undefined);
    throw new ContainerStartError('RunContainerError', text, { cause: error });
  }
  cache.putContainer(await runtime.containerStatus(id), sandbox.id);
}
