import type { Clock, Timer } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { grpcCodes, hasGrpcCode } from '../cri/mod.ts';
import type { Container, ContainerEvent, PodSandbox, RuntimeService } from '../cri/mod.ts';
import { runtimeLabels } from './names.ts';
import type { RuntimeCache } from './runtime-cache.ts';

/** Keeps the runtime cache true: events of the runtime where it has them, lists otherwise. */
export interface Pleg {
  /** Runs until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Lists now, or right after the list that runs; rejects when the runtime does not answer. */
  relist(): Promise<void>;
  /** Looks several times within the next second: something was started that may end soon. */
  expectChange(): void;
  /** When the last list succeeded; 0 before the first. */
  readonly lastRelistMs: number;
}

/** With containers alive, without any, and with a runtime that tells by itself. */
const activeIntervalMs = 1_000;
const idleIntervalMs = 5_000;
const eventedIntervalMs = 30_000;
/** A container that fails at once is seen after the first of these. */
const expectDelaysMs = [40, 100, 250, 500];

export function createPleg(options: {
  runtime: RuntimeService;
  cache: RuntimeCache;
  clock: Clock;
  log: Logger;
  /** Called when the runtime starts or stops to answer. */
  onHealth?: ((error: unknown) => void) | undefined;
}): Pleg {
  const { runtime, cache, clock, log } = options;
  let lastRelistMs = 0;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let isEvented = false;
  let hasActive = false;
  let wake: (() => void) | undefined;
  let expecting: Timer | undefined;

  const relistOnce = async (): Promise<void> => {
    const stamp = cache.stamp();
    const [sandboxes, containers] = await Promise.all([
      runtime.listPodSandbox(),
      runtime.listContainers(),
    ]);
    await Promise.all([
      ...sandboxes.filter(isOurs).map((sandbox) => refreshSandbox(options, sandbox, stamp)),
      ...containers.filter(isOurs).map((container) => refreshContainer(options, container, stamp)),
    ]);
    cache.keepOnly(stamp, new Set([...sandboxes, ...containers].map(({ id }) => id)));
    const wasActive = hasActive;
    hasActive =
      sandboxes.some(({ state }) => state === 'SANDBOX_READY') ||
      containers.some(({ state }) => state === 'CONTAINER_RUNNING');
    lastRelistMs = clock.now();
    if (hasActive && !wasActive) wake?.();
  };
  const report = (error: unknown): void => {
    options.onHealth?.(error);
    if (error !== undefined) log.debug('relist failed', { error: messageOf(error) });
  };
  const start = (): Promise<void> => {
    const listing = relistOnce().finally(() => {
      running = undefined;
    });
    running = listing;
    listing.then(() => report(undefined), report);
    return listing;
  };
  const relist = (): Promise<void> => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };

  const takeEvent = (event: ContainerEvent): void => {
    const sandbox = event.podSandboxStatus;
    if (sandbox !== undefined) cache.observeSandbox(sandbox);
    for (const status of event.containersStatuses) {
      cache.observeContainer(status, cache.container(status.id)?.sandboxId ?? sandbox?.id ?? '');
    }
    if (event.containerEventType === 'CONTAINER_DELETED_EVENT') {
      cache.dropContainer(event.containerId);
    }
  };
  const followEvents = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        for await (const event of runtime.containerEvents(signal)) {
          isEvented = true;
          takeEvent(event);
        }
      } catch (error) {
        if (hasGrpcCode(error, grpcCodes.unimplemented)) return;
        log.debug('the stream of container events ended', { error: messageOf(error) });
      } finally {
        isEvented = false;
      }
      await clock.sleep(activeIntervalMs, signal).catch(() => undefined);
    }
  };

  const pause = (delayMs: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        wake = undefined;
        resolve();
      };
      const timer = clock.after(delayMs, done);
      signal.addEventListener('abort', done, { once: true });
      wake = done;
    });

  const expect = (index: number): void => {
    const delayMs = expectDelaysMs[index];
    expecting?.cancel();
    expecting = undefined;
    if (delayMs === undefined || isEvented) return;
    expecting = clock.after(delayMs, () => {
      relist().catch(() => undefined);
      expect(index + 1);
    });
  };

  return {
    get lastRelistMs() {
      return lastRelistMs;
    },
    relist,
    expectChange: () => expect(0),
    async run(signal) {
      const following = followEvents(signal);
      while (!signal.aborted) {
        await relist().catch(() => undefined);
        if (signal.aborted) break;
        const activeMs = hasActive ? activeIntervalMs : idleIntervalMs;
        await pause(isEvented ? eventedIntervalMs : activeMs, signal);
      }
      expecting?.cancel();
      wake?.();
      await following;
    },
  };
}

function isOurs({ labels }: { labels: Record<string, string> }): boolean {
  return (labels[runtimeLabels.podUid] ?? '') !== '';
}

type Source = { runtime: RuntimeService; cache: RuntimeCache };

/** Asks for the whole status only when the list shows something new. */
async function refreshSandbox(
  { runtime, cache }: Source,
  listed: PodSandbox,
  stamp: number,
): Promise<void> {
  const known = cache.sandbox(listed.id);
  if (known !== undefined && known.state === listed.state) return;
  if (cache.isNewerThan(stamp, listed.id)) return;
  await ignoringNotFound(async () => {
    const status = await runtime.podSandboxStatus(listed.id);
    if (!cache.isNewerThan(stamp, listed.id)) cache.observeSandbox(status);
  });
}

async function refreshContainer(
  { runtime, cache }: Source,
  listed: Container,
  stamp: number,
): Promise<void> {
  const known = cache.container(listed.id);
  if (known !== undefined && known.state === listed.state) return;
  if (cache.isNewerThan(stamp, listed.id)) return;
  await ignoringNotFound(async () => {
    const status = await runtime.containerStatus(listed.id);
    if (!cache.isNewerThan(stamp, listed.id)) cache.observeContainer(status, listed.podSandboxId);
  });
}

/** What vanished between the list and the question is dropped by the next list. */
async function ignoringNotFound(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!hasGrpcCode(error, grpcCodes.notFound)) throw error;
  }
}
