import { K3tsError, messageOf } from '#base/errors.ts';
import type { CommandContext } from './command.ts';
import { commands } from './commands.ts';
import { renderCommandHelp, renderHelp } from './help.ts';
import { version } from './version.ts';

/**
 * Runs one command line, without the program's name, to its exit code. Errors become lines on
 * stderr; it never rejects, and does not end the process.
 */
export async function runCommandLine(
  words: readonly string[],
  surroundings: Omit<CommandContext, 'args'>,
): Promise<number> {
  const { stderr } = surroundings;
  try {
    return await run(words, surroundings);
  } catch (error) {
    stderr(`k3ts: ${messageOf(error)}\n`);
    // What the system refuses is the user's to mend; the rest is a defect of ours, to be found.
    const isExpected = error instanceof K3tsError || (error instanceof Error && 'syscall' in error);
    if (!isExpected && error instanceof Error) stderr(`${error.stack ?? ''}\n`);
    return 1;
  }
}

async function run(
  [name, ...rest]: readonly string[],
  surroundings: Omit<CommandContext, 'args'>,
): Promise<number> {
  const { stdout, stderr } = surroundings;
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
  const command = await entry.load();
  const hasOwnHelp = command.flags !== undefined || command.usage !== undefined;
  if (hasOwnHelp && (rest.includes('--help') || rest.includes('-h'))) {
    stdout(renderCommandHelp(command));
    return 0;
  }
  return await command.run({ ...surroundings, args: rest });
}
