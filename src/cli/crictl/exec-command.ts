import { K3tsError } from '#base/errors.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import type { CommandContext } from '../command.ts';
import { integerFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { findOne } from './find.ts';

/** Runs a command in a container and hands its output and exit code on. Without input. */
export async function runInContainer(options: {
  cri: CriClient;
  args: readonly string[];
  values: FlagValues;
  context: CommandContext;
}): Promise<number> {
  const { cri, args, values, context } = options;
  const [wanted, ...command] = args;
  if (wanted === undefined || command.length === 0) {
    throw new K3tsError('Usage', 'usage: k3ts crictl exec CONTAINER COMMAND [ARG...]');
  }
  const container = findOne('container', await cri.runtime.listContainers(), wanted);
  const timeoutSeconds = integerFlag(values, 'timeout') ?? 0;
  const result = await cri.runtime.execSync(container.id, command, timeoutSeconds);
  context.stdout(result.stdout.toString());
  context.stderr(result.stderr.toString());
  return result.exitCode;
}
