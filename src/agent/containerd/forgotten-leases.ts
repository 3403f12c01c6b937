import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { runCommand } from '#host/process.ts';

export interface ForgottenLeasesOptions {
  readonly ctr: string;
  /** containerd's socket. */
  readonly socket: string;
  readonly log: Logger;
}

const namespace = 'k8s.io';
const timeoutMs = 60_000;
const periodMs = 10_000;
const attempts = 6;
/** Leases for the time of an operation carry it; those without are kept for somebody. */
const temporaryLabel = 'containerd.io/gc.expire=';

/**
 * Lets go what operations of an earlier containerd held on to. While it makes a container or pulls
 * an image containerd leases what it has so far for a day; killed in the middle, it would keep
 * snapshots and layers of nobody for that long. `beforeMs` is when another containerd began; tries
 * for a minute.
 */
export async function releaseForgottenLeases(
  options: ForgottenLeasesOptions & { beforeMs: number; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { beforeMs, clock, log, signal } = options;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    await clock.sleep(periodMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await releaseLeases(options, beforeMs);
      return;
    } catch (error) {
      log.debug('cannot release leases of containerd', { error: messageOf(error) });
    }
  }
}

/** Deletes the temporary leases from before this wall time; answers their ids. */
export async function releaseLeases(
  { ctr, socket, log }: ForgottenLeasesOptions,
  beforeMs: number,
): Promise<string[]> {
  const common = ['--address', socket, '--namespace', namespace, 'leases'];
  const { stdout } = await runCommand({ command: ctr, args: [...common, 'list'], timeoutMs });
  const forgotten = stdout.split('\n').flatMap((line) => {
    const [id = '', created = '', labels = ''] = line.trim().split(/\s+/);
    // Times are whole seconds, rounded down.
    const isOld = Date.parse(created) + 1000 <= beforeMs;
    return isOld && labels.includes(temporaryLabel) ? [id] : [];
  });
  if (forgotten.length === 0) return [];
  log.info('releasing what an ended containerd held on to', { leases: forgotten.join(' ') });
  const args = [...common, 'delete', '--sync', ...forgotten];
  await runCommand({ command: ctr, args, timeoutMs });
  return forgotten;
}
