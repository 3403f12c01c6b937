import { once } from 'node:events';
import type { Writable } from 'node:stream';

import type { Clock } from '#base/clock.ts';
import { parseDuration } from '#base/duration.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import { readContainerLog } from '#kubelet/server/container-log/mod.ts';
import { booleanFlag, integerFlag, stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { findOne } from './find.ts';

/** How often a followed container is asked whether it still runs. */
const askEveryMs = 1000;

/**
 * Prints a container's log without the times and stream names that the runtime puts there; with
 * `--follow` until the container or the signal ends.
 */
export async function printLogs(options: {
  cri: CriClient;
  wanted: string;
  values: FlagValues;
  output: Writable;
  clock: Clock;
  signal: AbortSignal;
}): Promise<number> {
  const { cri, wanted, values, output, clock, signal } = options;
  const container = findOne('container', await cri.runtime.listContainers(), wanted);
  const { logPath, state } = await cri.runtime.containerStatus(container.id);
  if (logPath === '') throw new K3tsError('NotFound', `container ${container.id} has no log`);
  const isFollowing = booleanFlag(values, 'follow');
  const tailLines = integerFlag(values, 'tail') ?? -1;
  const ended = new AbortController();
  let isRunning = state === 'CONTAINER_RUNNING';
  const stop = AbortSignal.any([signal, ended.signal]);
  const watching = isFollowing
    ? untilEnded({ cri, id: container.id, clock, signal: stop }).then(() => (isRunning = false))
    : undefined;
  try {
    const pieces = readContainerLog({
      path: logPath,
      isFollowing,
      ...(tailLines < 0 ? {} : { tailLines }),
      sinceTime: sinceTime(values, clock.now()),
      hasTimestamps: booleanFlag(values, 'timestamps'),
      isRunning: () => isRunning,
      clock,
      signal,
    });
    for await (const piece of pieces) {
      if (!output.write(piece)) await once(output, 'drain');
    }
  } finally {
    ended.abort();
    await watching;
  }
  return 0;
}

async function untilEnded(options: {
  cri: CriClient;
  id: string;
  clock: Clock;
  signal: AbortSignal;
}): Promise<void> {
  const { cri, id, clock, signal } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(askEveryMs, signal);
      const { state } = await cri.runtime.containerStatus(id);
      if (state !== 'CONTAINER_RUNNING') return;
    } catch {
      // Stopped, or the container is gone: nothing more comes either way.
      return;
    }
  }
}

/** --since takes a time or how long ago. */
function sinceTime(values: FlagValues, nowMs: number): string | undefined {
  const text = stringFlag(values, 'since');
  if (text === undefined) return undefined;
  if (!Number.isNaN(Date.parse(text)) && text.includes('T')) return text;
  try {
    return new Date(nowMs - parseDuration(text)).toISOString();
  } catch (error) {
    throw new K3tsError('Usage', `invalid --since "${text}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}
