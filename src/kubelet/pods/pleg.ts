import type { Clock, Timer } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { grpcCodes, hasGrpcCode } from '../cri/mod.ts';
import type { Container, ContainerEvent, PodSandbox, RuntimeService } from '../cri/mod.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
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
  metrics?: Pick<KubeletMetrics, 'relistDuration' | 'relistInterval'> | undefined;
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

  let lastStartMs: number | undefined;
  const relistOnce = async (): Promise<void> => {
    const startMs = clock.monotonicMs();
    if (lastStartMs !== undefined) {
      options.metrics?.relistInterval.with().observe((startMs - lastStartMs) / 1000);
    }
    lastStartMs = startMs;
    const stamp = cache.stamp();
    const [sandboxes, containers] = await Promise.all([
      runtime.listPodSandbox(),
      runtime.listContainers(),
    ]);
    const byPod = groupByPod(sandboxes, containers);
    await Promise.all([...byPod.values()].map((listed) => refreshPod(options, listed, stamp)));
    cache.keepOnly(stamp, new Set([...sandboxes, ...containers].map(({ id }) => id)));
    const wasActive = hasActive;
    hasActive =
      sandboxes.some(({ state }) => state === 'SANDBOX_READY') ||
      containers.some(({ state }) => state === 'CONTAINER_RUNNING');
    lastRelistMs = clock.now();
    options.metrics?.relistDuration.with().observe((clock.monotonicMs() - startMs) / 1000);
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

interface ListedPod {
  readonly sandboxes: PodSandbox[];
  readonly containers: Container[];
}

function groupByPod(
  sandboxes: readonly PodSandbox[],
  containers: readonly Container[],
): Map<string, ListedPod> {
  const pods = new Map<string, ListedPod>();
  const podOf = (labels: Record<string, string>): ListedPod | undefined => {
    const uid = labels[runtimeLabels.podUid] ?? '';
    if (uid === '') return undefined;
    const pod = pods.get(uid) ?? { sandboxes: [], containers: [] };
    pods.set(uid, pod);
    return pod;
  };
  for (const sandbox of sandboxes) podOf(sandbox.labels)?.sandboxes.push(sandbox);
  for (const container of containers) podOf(container.labels)?.containers.push(container);
  return pods;
}

type Source = { runtime: RuntimeService; cache: RuntimeCache };

/**
 * Asks for whole statuses only when the list shows something new. All of a pod's are put together:
 * a container that ended with its sandbox must not look as if it could be started again in it. The
 * list of sandboxes may be older than that of containers, so theirs are asked for as well then.
 */
async function refreshPod(
  { runtime, cache }: Source,
  listed: ListedPod,
  stamp: number,
): Promise<void> {
  const isNew = (known: { state: string } | undefined, { id, state }: Listed): boolean =>
    known?.state !== state && !cache.isNewerThan(stamp, id);
  const containers = listed.containers.filter((one) => isNew(cache.container(one.id), one));
  const sandboxes = listed.sandboxes.filter(
    (one) =>
      isNew(cache.sandbox(one.id), one) || (containers.length > 0 && one.state === 'SANDBOX_READY'),
  );
  const [sandboxStatuses, containerStatuses] = await Promise.all([
    Promise.all(sandboxes.map(({ id }) => ignoringNotFound(() => runtime.podSandboxStatus(id)))),
    Promise.all(
      containers.map(async ({ id, podSandboxId }) => {
        const status = await ignoringNotFound(() => runtime.containerStatus(id));
        return status === undefined ? undefined : { status, podSandboxId };
      }),
    ),
  ]);
  for (const status of sandboxStatuses) {
    if (status !== undefined && isNew(cache.sandbox(status.id), status)) {
      cache.observeSandbox(status);
    }
  }
  for (const container of containerStatuses) {
    if (container === undefined || cache.isNewerThan(stamp, container.status.id)) continue;
    cache.observeContainer(container.status, container.podSandboxId);
  }
}

type Listed = { readonly id: string; readonly state: string };

/** What vanished between the list and the question is dropped by the next list. */
async function ignoringNotFound<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (hasGrpcCode(error, grpcCodes.notFound)) return undefined;
    throw error;
  }
}
