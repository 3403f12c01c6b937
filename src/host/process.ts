import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { K3tsError } from '#base/errors.ts';

export interface CommandOptions {
  command: string;
  args?: readonly string[] | undefined;
  /** Text, bytes, or a stream; a stream that fails makes the command fail. */
  stdin?: string | Uint8Array | Readable | undefined;
  /** The command is killed with SIGKILL when it takes longer. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  cwd?: string | undefined;
  /** Replaces the whole environment; absent inherits ours. */
  env?: Readonly<Record<string, string>> | undefined;
  /** The command is killed when one of its outputs gets longer; 16 MiB when absent. */
  maxOutputBytes?: number | undefined;
  /** Exit codes that are answers, not failures; only 0 when absent. */
  okExitCodes?: readonly number[] | undefined;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Why a command gave no result. */
export type CommandFailure =
  | 'not-found'
  | 'exit'
  | 'signal'
  | 'timeout'
  | 'output'
  | 'input'
  | 'aborted';

/** A command that failed; `code` is `CommandFailed`, or `CommandNotFound` when it is not there. */
export class CommandError extends K3tsError {
  readonly failure: CommandFailure;
  readonly command: readonly string[];
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(options: {
    failure: CommandFailure;
    command: readonly string[];
    text: string;
    exitCode?: number | undefined;
    stderr?: string | undefined;
    cause?: unknown;
  }) {
    const { failure, command, text, exitCode, stderr = '', cause } = options;
    const tail = stderr.trim().slice(-2000);
    super(
      failure === 'not-found' ? 'CommandNotFound' : 'CommandFailed',
      tail === '' ? text : `${text}: ${tail}`,
      { cause },
    );
    this.failure = failure;
    this.command = command;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

const defaultMaxOutputBytes = 16 * 1024 * 1024;

/**
 * Runs a command to its end, without a shell. Throws CommandError for everything but an accepted
 * exit code. Children that the command leaves behind with its output open do not delay a timeout.
 */
export function runCommand(options: CommandOptions): Promise<CommandResult> {
  const { command, args = [], timeoutMs, signal, okExitCodes = [0] } = options;
  const maxOutputBytes = options.maxOutputBytes ?? defaultMaxOutputBytes;
  const line = [command, ...args];
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const fail = (failure: CommandFailure, text: string, more = {}): void =>
    reject(new CommandError({ failure, command: line, text, ...more }));
  if (signal?.aborted === true) {
    fail('aborted', `${command} was not started: aborted`, { cause: signal.reason });
    return promise;
  }
  const child = spawn(command, args, {
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  });
  const onAbort = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  let hasOverflowed = false;
  const collect = (stream: NodeJS.ReadableStream | null): Buffer[] => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxOutputBytes) chunks.push(chunk);
      else if (!hasOverflowed) {
        hasOverflowed = true;
        child.kill('SIGKILL');
      }
    });
    return chunks;
  };
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  child.on('error', (cause: NodeJS.ErrnoException) => {
    signal?.removeEventListener('abort', onAbort);
    if (cause.code === 'ENOENT') fail('not-found', `${command} not found in PATH`, { cause });
    else fail('exit', `${command} could not be started: ${cause.message}`, { cause });
  });
  child.on('exit', () => {
    // A grandchild may hold the pipes; after a kill nobody waits for it.
    if (!child.killed) return;
    child.stdout?.destroy();
    child.stderr?.destroy();
  });
  child.on('close', (exitCode, killedBy) => {
    signal?.removeEventListener('abort', onAbort);
    const stdout = Buffer.concat(out).toString();
    const stderr = Buffer.concat(err).toString();
    const shown = line.join(' ');
    if (signal?.aborted === true) {
      fail('aborted', `${shown} was aborted`, { stderr, cause: signal.reason });
    } else if (hasOverflowed) {
      fail('output', `${shown} wrote more than ${maxOutputBytes} bytes`);
    } else if (child.killed) {
      fail('timeout', `${shown} did not end within ${timeoutMs} ms`, { stderr });
    } else if (exitCode === null) {
      fail('signal', `${shown} was killed by ${killedBy}`, { stderr });
    } else if (!okExitCodes.includes(exitCode)) {
      fail('exit', `${shown} failed with exit code ${exitCode}`, { exitCode, stderr });
    } else resolve({ stdout, stderr, exitCode });
  });
  // A command that does not read its input breaks the pipe; its exit code tells what happened.
  child.stdin?.on('error', () => undefined);
  const { stdin } = options;
  if (stdin instanceof Readable) {
    stdin.on('error', (cause) => {
      fail('input', `${command} got no input: ${cause.message}`, { cause });
      child.kill('SIGKILL');
    });
    if (child.stdin !== null) stdin.pipe(child.stdin);
    child.on('close', () => stdin.destroy());
  } else if (stdin !== undefined) child.stdin?.end(stdin);
  return promise;
}

/**
 * The output of a command while it runs; the stream fails with a CommandError when the command
 * does. Destroying the stream kills the command.
 */
export function streamCommand(command: string, args: readonly string[]): Readable {
  const line = [command, ...args];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4000);
  });
  const output = new Readable({
    read: () => child.stdout.resume(),
    destroy: (error, done) => {
      child.kill('SIGKILL');
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (!output.push(chunk)) child.stdout.pause();
  });
  child.on('error', (cause) => {
    const text = `${command} could not be started: ${cause.message}`;
    output.destroy(new CommandError({ failure: 'exit', command: line, text, cause }));
  });
  child.on('close', (exitCode) => {
    if (exitCode === 0) {
      output.push(null);
      return;
    }
    const text = `${line.join(' ')} failed with exit code ${exitCode}`;
    const details = { failure: 'exit', command: line, text, stderr } as const;
    output.destroy(new CommandError({ ...details, exitCode: exitCode ?? undefined }));
  });
  return output;
}

/**
 * The full path of an executable, looked up in `path` (the PATH variable) unless it has a slash.
 */
export function findExecutable(command: string, path: string): string | undefined {
  const places = command.includes('/') ? [''] : path.split(':').filter((part) => part !== '');
  for (const place of places) {
    const candidate = place === '' ? command : join(place, command);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Whether a process with this id runs. A zombie does not: its parent may never look, as in
 * containers whose first process is no init.
 */
export function isProcessAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state !== 'Z' && state !== 'X';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
}

/** Sends a signal to one process; false when there is no such process. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
