import { messageOf } from '#base/errors.ts';
import { KubeletRequestError } from '../request-error.ts';
import type { KubeletServerOptions } from '../server-options.ts';
import { findRunning } from './stream-handler.ts';
import type { StreamTarget } from './stream-handler.ts';

/** POST /run: runs a command to its end and answers its output; 500 when it fails. */
export async function runCommand(
  options: Pick<KubeletServerOptions, 'kubelet' | 'runtime'>,
  target: StreamTarget,
  query: URLSearchParams,
): Promise<Buffer> {
  const id = findRunning(options, target);
  const command = (query.get('cmd') ?? '').split(' ');
  try {
    const { stdout, stderr, exitCode } = await options.runtime.execSync(id, command, 0);
    if (exitCode === 0) return Buffer.concat([stdout, stderr]);
    const output = Buffer.concat([stdout, stderr]).toString();
    throw new KubeletRequestError(
      500,
      `command '${command.join(' ')}' exited with ${exitCode}: ${output}`,
    );
  } catch (error) {
    if (error instanceof KubeletRequestError) throw error;
    throw new KubeletRequestError(500, messageOf(error), error);
  }
}
