/** The entry of the program: hands the process to its command line, and ends it. */
import { basename } from 'node:path';

import { K3tsError } from '#base/errors.ts';
import { resolveOwnModulesByText } from './module-resolution.ts';
import { openProcessStreams } from './process-streams.ts';
import { runCommandLine } from './run-command-line.ts';

/** Names under which a link to k3ts behaves as that tool. */
const toolNames = new Set(['kubectl', 'crictl', 'ctr']);

/** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once. */
function signalOnStop(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort(new K3tsError('Stopped', `stopped by ${name}`));
    });
  }
  return controller.signal;
}

const called = basename(process.env['K3TS_CALLED_AS'] ?? '');
const args = process.argv.slice(2);
resolveOwnModulesByText();
process.exitCode = await runCommandLine(toolNames.has(called) ? [called, ...args] : args, {
  environment: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  openStreams: openProcessStreams,
  isTerminal: process.stdout.isTTY,
  signal: signalOnStop(),
});
// A command that ended leaves nothing worth waiting for; sockets may still be closing.
process.exit();
