/** The entry of the program: picks the command, hands it the process, turns errors into lines. */
import { basename } from 'node:path';

import { K3tsError, messageOf } from '#base/errors.ts';
import type { CommandContext } from './command.ts';
import { commands } from './commands.ts';
import { renderCommandHelp, renderHelp } from './help.ts';
import { resolveOwnModulesByText } from './module-resolution.ts';
import { openProcessStreams } from './process-streams.ts';
import { version } from './version.ts';

/** Names under which a link to k3ts behaves as that tool. */
const toolNames = new Set(['kubectl', 'crictl', 'ctr']);

async function main(): Promise<number> {
  const called = basename(process.env['K3TS_CALLED_AS'] ?? '');
  const args = process.argv.slice(2);
  const words = toolNames.has(called) ? [called, ...args] : args;
  const [name, ...rest] = words;
  const stdout = (text: string): void => void process.stdout.write(text);
  const stderr = (text: string): void => void process.stderr.write(text);
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    stdout(renderHelp());
    return 0;
  }
  if (name === '--version' || name === '-v') {
    stdout(`k3ts version ${version}\nnode version ${process.version}\n`);
    return 0;
  }
  const entry = commands[name];
  if (entry === undefined) {
    stderr(`k3ts: no help topic for '${name}': run "k3ts help" for the list of commands\n`);
    return 3;
  }
  resolveOwnModulesByText();
  const command = await entry.load();
  const hasOwnHelp = command.flags !== undefined || command.usage !== undefined;
  if (hasOwnHelp && (rest.includes('--help') || rest.includes('-h'))) {
    stdout(renderCommandHelp(command));
    return 0;
  }
  const context: CommandContext = {
    args: rest,
    environment: process.env,
    stdout,
    stderr,
    openStreams: openProcessStreams,
    isTerminal: process.stdout.isTTY,
    signal: signalOnStop(),
  };
  return await command.run(context);
}

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

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`k3ts: ${messageOf(error)}\n`);
  // What the system refuses is the user's to mend; the rest is a defect of ours, to be found.
  const isExpected = error instanceof K3tsError || (error instanceof Error && 'syscall' in error);
  if (!isExpected && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
  process.exitCode = 1;
}
// A command that ended leaves nothing worth waiting for; sockets may still be closing.
process.exit();
