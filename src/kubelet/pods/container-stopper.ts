import type { Timer } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { LifecycleHandler, Pod } from '#schema/types.ts';
import { withTimeout } from '../probes/prober.ts';
import { runLifecycleHook } from './lifecycle-hooks.ts';
import { podKey, specOf, uidOf } from './names.ts';
import type { PodContainer } from './names.ts';
import type { PodContext } from './pod-context.ts';
import { readySandbox, sandboxIps } from './runtime-pod.ts';
import type { RuntimeContainer } from './runtime-pod.ts';
import { grpcCodes, hasGrpcCode } from '../cri/mod.ts';

/** The runtime gets at least this long, also after a preStop hook that took everything. */
const minGraceSeconds = 2;

export interface StopRequest {
  readonly pod: Pod;
  readonly of: PodContainer;
  readonly status: RuntimeContainer;
  /** Text of the event Killing; by default that of a pod that goes. */
  readonly message?: string | undefined;
  /** Undefined: what the pod asks for. */
  readonly graceSeconds: number | undefined;
  readonly signal: AbortSignal;
  /** Waited for after the preStop hook, within the grace: containers that must be gone before. */
  readonly after?: Promise<unknown> | undefined;
}

export function podGraceSeconds(pod: Pod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? specOf(pod).terminationGracePeriodSeconds ?? 30;
}

/** preStop hook, stop signal, and kill at the end of the grace period; returns when it is gone. */
export async function stopContainer(request: StopRequest, context: PodContext): Promise<void> {
  const { pod, of, status, signal } = request;
  const { clock, runtime, cache, events } = context;
  const startMs = clock.monotonicMs();
  const graceSeconds = request.graceSeconds ?? podGraceSeconds(pod);
  const message = request.message ?? `Stopping container ${of.container.name}`;
  events.container(pod, of, 'Normal', 'Killing', message);
  const preStop = of.container.lifecycle?.preStop;
  if (preStop !== undefined && graceSeconds > 0) {
    await preStopHook(request, preStop, graceSeconds, context);
  }
  if (request.after !== undefined && graceSeconds > 0) {
    const leftMs = graceSeconds * 1000 - (clock.monotonicMs() - startMs);
    await turnOrTimeout(request.after, leftMs, context);
  }
  const spentSeconds = Math.floor((clock.monotonicMs() - startMs) / 1000);
  const leftSeconds = Math.max(graceSeconds - spentSeconds, minGraceSeconds);
  const subject = { key: podKey(pod), uid: uidOf(pod), detail: of.container.name };
  try {
    await traced('pod.stop-container', subject, () =>
      runtime.stopContainer(status.id, leftSeconds, { signal }),
    );
    cache.putContainer(await runtime.containerStatus(status.id), status.sandboxId);
  } catch (error) {
    if (!hasGrpcCode(error, grpcCodes.notFound)) throw error;
    cache.dropContainer(status.id);
  }
}

/** A container that does not end in its time does not keep those after it from theirs. */
async function turnOrTimeout(
  turn: Promise<unknown>,
  timeoutMs: number,
  { clock }: PodContext,
): Promise<void> {
  if (timeoutMs <= 0) return;
  let timer: Timer | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = clock.after(timeoutMs, resolve);
  });
  await Promise.race([turn, timeout]).finally(() => timer?.cancel());
}

async function preStopHook(
  { pod, of, status, signal }: StopRequest,
  handler: LifecycleHandler,
  graceSeconds: number,
  context: PodContext,
): Promise<void> {
  const sandbox = readySandbox(context.cache.pod(uidOf(pod)));
  const podIp = sandboxIps(sandbox)[0] ?? context.hostIps()[0] ?? '';
  const target = { pod, container: of.container, containerId: status.id, podIp };
  const untilMs = context.clock.monotonicMs() + graceSeconds * 1000;
  try {
    await withTimeout({ clock: context.clock, signal }, graceSeconds * 1000, (hookSignal) =>
      runLifecycleHook(handler, target, { ...context, signal: hookSignal }),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    // One that is not done in time is no failure: the container is stopped all the same.
    if (context.clock.monotonicMs() >= untilMs) return;
    context.log.warning('a preStop hook failed', { pod: podKey(pod), error: messageOf(error) });
    context.events.container(pod, of, 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
  }
}
