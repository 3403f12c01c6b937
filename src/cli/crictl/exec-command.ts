import { K3tsError } from '#base/errors.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import type { CommandContext } from '../command.ts';
import { booleanFlag, integerFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { execWithStreams } from './exec-streams.ts';
import { findOne } from './find.ts';

/**
 * Runs a command in a container and hands its output and exit code on: with streams, or with
 * --sync or --timeout by one call that answers when the command has ended.
 */
export async function runInContainer(options: {
  cri: CriClient;
  args: readonly string[];
  values: FlagValues;
  context: CommandContext;
}): Promise<number> {
  const { cri, args, values, context } = options;
  const [wanted, ...command] = args;
  if (wanted === undefined || command.length === 0) {
    throw new K3tsError('Usage', 'usage: k3ts crictl exec [-i] [-t] CONTAINER COMMAND [ARG...]');
  }
  const container = findOne('container', await cri.runtime.listContainers(), wanted);
  const timeoutSeconds = integerFlag(values, 'timeout') ?? 0;
  if (!booleanFlag(values, 'sync') && timeoutSeconds === 0) {
    return await withStreams(cri, container.id, command, values, context);
  }
  const result = await cri.runtime.execSync(container.id, command, timeoutSeconds);
  context.stdout(result.stdout.toString());
  context.stderr(result.stderr.toString());
  return result.exitCode;
}

async function withStreams(
  cri: CriClient,
  id: string,
  command: readonly string[],
  values: FlagValues,
  { openStreams, signal, stderr }: CommandContext,
): Promise<number> {
  const streams = openStreams();
  const hasStdin = booleanFlag(values, 'interactive');
  let isTty = booleanFlag(values, 'tty');
  if (isTty && hasStdin && !streams.isTerminal) {
    // As kubectl: the end of a file would hang up the command's terminal before its first output.
    stderr('Unable to use a TTY - input is not a terminal or the right kind of file\n');
    isTty = false;
  }
  const wish = { tty: isTty, stdin: hasStdin, stdout: true, stderr: !isTty };
  const url = await cri.runtime.exec(id, command, wish);
  return await execWithStreams({ url, hasStdin, isTty, streams, signal });
}
