import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { findExecutable, streamCommand } from '#host/process.ts';
import type { Kubelet } from '#kubelet/mod.ts';

const retryMs = 30_000;

/** Holds a delaying inhibitor lock for as long as the bus is read. */
const inhibitedMonitor = [
  '--what=shutdown',
  '--mode=delay',
  '--who=kubelet',
  '--why=Kubelet needs time to handle node shutdown',
  'busctl',
  '--system',
  '--json=short',
  "--match=type='signal',interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'",
  'monitor',
];

/**
 * Ends pods in order before the machine goes down, when the configuration gives them time. Where
 * logind runs it tells, and waits; elsewhere the signal PWR to the agent does. Runs until `signal`
 * is aborted.
 */
export async function watchMachineShutdown(options: {
  kubelet: Pick<Kubelet, 'shutDown' | 'cancelShutdown'>;
  hasPeriods: boolean;
  searchPath: string;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { kubelet, clock, log, signal } = options;
  if (!options.hasPeriods) return;
  const onPower = (): void => {
    void kubelet.shutDown().then(() => log.info('all pods have ended or had their time'));
  };
  process.on('SIGPWR', onPower);
  signal.addEventListener('abort', () => process.off('SIGPWR', onPower), { once: true });
  const tools = ['systemd-inhibit', 'busctl'];
  const isManaged =
    existsSync('/run/systemd/system') &&
    tools.every((tool) => findExecutable(tool, options.searchPath) !== undefined);
  if (!isManaged) {
    log.warning(
      'logind does not run here, so it cannot tell of shutdowns: send the signal PWR to the agent before the machine goes down',
      { pid: process.pid },
    );
    return;
  }
  while (!signal.aborted) {
    await followLogind(kubelet, signal).catch((error: unknown) => {
      if (!signal.aborted) log.warning('cannot wait for shutdowns', { error: messageOf(error) });
    });
    await clock.sleep(retryMs, signal).catch(() => undefined);
  }
}

/** Resolves when the pods have ended: the lock goes then, and the machine goes down. */
async function followLogind(
  kubelet: Pick<Kubelet, 'shutDown' | 'cancelShutdown'>,
  signal: AbortSignal,
): Promise<void> {
  const output = streamCommand('systemd-inhibit', inhibitedMonitor);
  const stop = (): void => void output.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of createInterface({ input: output })) {
      const isBeginning = beginsShutdown(line);
      if (isBeginning === undefined) continue;
      if (!isBeginning) {
        kubelet.cancelShutdown();
        continue;
      }
      await kubelet.shutDown();
      return;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    output.destroy();
  }
}

/** What a line of the monitor says: the shutdown begins, is called off, or something else. */
export function beginsShutdown(line: string): boolean | undefined {
  try {
    const message = JSON.parse(line) as { member?: string; payload?: { data?: unknown[] } };
    if (message.member !== 'PrepareForShutdown') return undefined;
    return message.payload?.data?.[0] === true;
  } catch {
    return undefined;
  }
}
