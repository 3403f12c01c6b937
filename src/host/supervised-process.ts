import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';

export interface ProcessExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the process could not be started at all. */
  readonly error?: Error | undefined;
}

export interface SupervisedOptions {
  /** For log lines. */
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>> | undefined;
  cwd?: string | undefined;
  clock: Clock;
  log: Logger;
  /** A file that the process appends to by itself, or a receiver of its output in our process. */
  output: { file: string } | { onData: (chunk: Buffer) => void };
  /** Text for its standard input, which stays open until the text is known. */
  input?: Promise<string> | undefined;
  /**
   * Keeps the process running when we die. It then gets a session of its own, and its output must
   * be a file, because a pipe would break with us.
   */
  survivesParent?: boolean | undefined;
  restart: 'always' | 'on-failure' | 'never';
  /** First and longest wait between restarts; the wait starts anew after `resetAfterMs` of life. */
  backoff?: { initialMs: number; maxMs: number; resetAfterMs: number } | undefined;
  /** From SIGTERM to SIGKILL; 10 s when absent. */
  stopTimeoutMs?: number | undefined;
  onStart?: ((pid: number) => void) | undefined;
  onExit?: ((exit: ProcessExit) => void) | undefined;
}

/** A child process with an owner: it is started at once and restarted as the policy says. */
export interface SupervisedProcess {
  readonly pid: number | undefined;
  /** Resolves with the last exit when the process ended and is not going to be restarted. */
  readonly done: Promise<ProcessExit>;
  /** SIGTERM, then SIGKILL; resolves when the process is gone. No restart follows. */
  stop(): Promise<void>;
  /** Ends the supervision and leaves the process running; only with `survivesParent`. */
  release(): void;
}

const defaultBackoff = { initialMs: 500, maxMs: 30_000, resetAfterMs: 60_000 };

/** Starts a long-lived child process; see SupervisedOptions for what happens at its end. */
export function spawnSupervised(options: SupervisedOptions): SupervisedProcess {
  const { name, clock, log, restart, backoff = defaultBackoff, stopTimeoutMs = 10_000 } = options;
  if (options.survivesParent === true && !('file' in options.output)) {
    throw new TypeError(`${name}: a process that survives its parent must log to a file`);
  }
  const { promise: done, resolve: finish } = Promise.withResolvers<ProcessExit>();
  let child: ChildProcess | undefined;
  let restartTimer: Timer | undefined;
  let isStopping = false;
  let isReleased = false;
  let delayMs = backoff.initialMs;

  const ended = (exit: ProcessExit, livedMs: number): void => {
    child = undefined;
    if (isReleased) return;
    options.onExit?.(exit);
    const hasFailed = exit.exitCode !== 0;
    if (isStopping || restart === 'never' || (restart === 'on-failure' && !hasFailed)) {
      finish(exit);
      return;
    }
    if (livedMs >= backoff.resetAfterMs) delayMs = backoff.initialMs;
    const what = exit.error?.message ?? `exit code ${exit.exitCode ?? exit.signal}`;
    log.warning(`${name} ended, restarting it in ${delayMs} ms`, { what });
    restartTimer = clock.after(delayMs, start);
    delayMs = Math.min(delayMs * 2, backoff.maxMs);
  };

  const start = (): void => {
    const startedMs = clock.monotonicMs();
    const started = spawnChild(options);
    child = started;
    let hasEnded = false;
    const once = (exit: ProcessExit): void => {
      if (hasEnded) return;
      hasEnded = true;
      ended(exit, clock.monotonicMs() - startedMs);
    };
    started.on('error', (error) => {
      if (started.pid === undefined) once({ exitCode: null, signal: null, error });
    });
    started.on('exit', (exitCode, signal) => once({ exitCode, signal }));
    if (started.pid !== undefined) options.onStart?.(started.pid);
  };

  start();
  return {
    get pid() {
      return child?.pid;
    },
    done,
    async stop() {
      isStopping = true;
      restartTimer?.cancel();
      if (child === undefined) {
        finish({ exitCode: null, signal: null });
        return;
      }
      child.kill('SIGTERM');
      const killer = clock.after(stopTimeoutMs, () => {
        log.warning(`${name} did not end within ${stopTimeoutMs} ms, killing it`);
        child?.kill('SIGKILL');
      });
      await done;
      killer.cancel();
    },
    release() {
      isReleased = true;
      restartTimer?.cancel();
      child?.unref();
      finish({ exitCode: null, signal: null });
    },
  };
}

function spawnChild(options: SupervisedOptions): ChildProcess {
  const { output } = options;
  // O_APPEND lets the log be truncated under the process when it is rotated.
  const descriptor = 'file' in output ? openSync(output.file, 'a', 0o640) : undefined;
  const target = descriptor ?? 'pipe';
  try {
    const child = spawn(options.command, options.args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', target, target],
      detached: options.survivesParent === true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
    });
    if (options.input !== undefined) feed(child, options.input);
    if ('onData' in output) {
      child.stdout?.on('data', output.onData);
      child.stderr?.on('data', output.onData);
    }
    return child;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function feed(child: ChildProcess, input: Promise<string>): void {
  // A process that ends before it reads says so by its exit.
  child.stdin?.on('error', () => undefined);
  input.then(
    (text) => child.stdin?.end(text),
    () => child.stdin?.destroy(),
  );
}
