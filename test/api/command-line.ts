import { runCommandLine } from '../../src/cli/run-command-line.ts';
import type { CommandAnswer } from './server.ts';

/** `k3ts ...args` in this process: the start of a program costs more than what it does. */
export async function k3ts(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandAnswer> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommandLine(args, {
    environment,
    stdout: (text) => void out.push(text),
    stderr: (text) => void err.push(text),
    openStreams() {
      throw new Error('this command has no streams in a test');
    },
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, stdout: out.join(''), stderr: err.join('') };
}
