import { readdir } from 'node:fs/promises';
import { hasCode } from '#base/errors.ts';
import { CommandError, runCommand, type CommandResult } from './process.ts';

const directory = '/run/netns';
const timeoutMs = 10_000;

/** Creates a named network namespace (`ip netns add`) with its loopback up. Returns its path. */
export async function createNetns(name: string): Promise<string> {
  await runCommand({ command: 'ip', args: ['netns', 'add', name], timeoutMs });
  await runInNetns(name, 'ip', ['link', 'set', 'lo', 'up'], { timeoutMs });
  return `${directory}/${name}`;
}

/** Removes a named network namespace; one that is not there is fine. */
export async function removeNetns(name: string): Promise<void> {
  try {
    await runCommand({ command: 'ip', args: ['netns', 'delete', name], timeoutMs });
  } catch (error) {
    if (error instanceof CommandError && /No such file/.test(error.stderr)) return;
    throw error;
  }
}

/** Where a named network namespace is mounted. */
export function netnsPath(name: string): string {
  return `${directory}/${name}`;
}

/** Names of all network namespaces in /run/netns, also those of others. */
export async function listNetns(): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Runs a command inside a named network namespace. */
export function runInNetns(
  name: string,
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; stdin?: string | undefined; signal?: AbortSignal | undefined },
): Promise<CommandResult> {
  return runCommand({
    command: 'ip',
    args: ['netns', 'exec', name, command, ...args],
    ...options,
  });
}

/** Runs a command in the network namespace at a path: `/proc/1234/ns/net`, `/run/netns/x`. */
export function runInNetnsAt(
  path: string,
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; stdin?: string | undefined; signal?: AbortSignal | undefined },
): Promise<CommandResult> {
  return runCommand({
    command: 'nsenter',
    args: [`--net=${path}`, '--', command, ...args],
    ...options,
  });
}
