import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { openRegistration } from './registration.ts';
import type { PluginInfo } from './registration.ts';

/** Takes the plugins of one type. */
export interface PluginHandler {
  /** Throws why the plugin cannot be used; it is told and tried again. */
  register(info: PluginInfo & { endpoint: string }, signal: AbortSignal): Promise<void>;
  /** The plugin's socket is gone. */
  deregister(name: string): Promise<void>;
}

const scanMs = 1_000;
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

interface Known {
  /** Changes when a plugin was started anew on the same path. */
  readonly identity: string;
  info: PluginInfo | undefined;
  /** When a failed one is tried again. */
  retryAtMs: number;
  delayMs: number;
}

/**
 * Looks for sockets in `plugins_registry` each second and registers what is behind them with the
 * handler of their type; a socket that is gone is deregistered. Runs until the signal is aborted.
 */
export async function watchPlugins(options: {
  /** `/var/lib/kubelet/plugins_registry`, which exists. */
  directory: string;
  handlers: Readonly<Record<string, PluginHandler>>;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { directory, handlers, clock, log, signal } = options;
  const plugins = new Map<string, Known>();

  const register = async (socketPath: string, known: Known): Promise<void> => {
    const conversation = openRegistration({ socketPath, clock });
    try {
      const info = await conversation.info(signal);
      try {
        const handler = handlers[info.type];
        if (handler === undefined) {
          throw new TypeError(`no handler registered for plugin type: ${info.type}`);
        }
        const endpoint = info.endpoint === '' ? socketPath : info.endpoint;
        await handler.register({ ...info, endpoint }, signal);
      } catch (error) {
        await conversation.notify(`plugin registration failed with err: ${messageOf(error)}`);
        throw error;
      }
      known.info = info;
      await conversation.notify(undefined);
      log.info('Registered a plugin', { type: info.type, name: info.name });
    } finally {
      conversation.close();
    }
  };
  const attempt = async (socketPath: string, known: Known): Promise<void> => {
    try {
      await register(socketPath, known);
      known.retryAtMs = Infinity;
    } catch (error) {
      if (signal.aborted) return;
      log.warning('Cannot register a plugin', { socketPath, error: messageOf(error) });
      known.retryAtMs = clock.monotonicMs() + known.delayMs;
      known.delayMs = Math.min(known.delayMs * 2, maxRetryMs);
    }
  };
  const forget = async (socketPath: string, { info }: Known): Promise<void> => {
    plugins.delete(socketPath);
    const isElsewhere = [...plugins.values()].some(
      (other) => other.info?.type === info?.type && other.info?.name === info?.name,
    );
    if (info === undefined || isElsewhere) return;
    await handlers[info.type]?.deregister(info.name);
    log.info('A plugin is gone', { type: info.type, name: info.name });
  };
  const scan = async (): Promise<void> => {
    const found = await findSockets(directory);
    for (const [path, known] of plugins) {
      if (found.get(path) !== known.identity) await forget(path, known);
    }
    const nowMs = clock.monotonicMs();
    for (const [path, identity] of found) {
      const known = plugins.get(path) ?? {
        identity,
        info: undefined,
        retryAtMs: 0,
        delayMs: firstRetryMs,
      };
      plugins.set(path, known);
      if (known.retryAtMs <= nowMs) await attempt(path, known);
    }
  };

  while (!signal.aborted) {
    try {
      await scan();
    } catch (error) {
      log.warning('Cannot look for plugins', { directory, error: messageOf(error) });
    }
    await clock.sleep(scanMs, signal).catch(() => undefined);
  }
}

/** Sockets at and below a directory, hidden ones left out, with what tells them apart. */
async function findSockets(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      for (const [below, identity] of await findSockets(path)) found.set(below, identity);
    } else if (entry.isSocket()) {
      try {
        const { ino, ctimeMs } = await stat(path);
        found.set(path, `${ino}.${ctimeMs}`);
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }
  }
  return found;
}
