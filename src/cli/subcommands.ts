import { K3tsError } from '#base/errors.ts';
import type { Command, CommandContext, FamilyMember } from './command.ts';
import { readConfigFile } from './flags/config-file.ts';
import type { Flag, FlagValues } from './flags/flag.ts';
import { parseArguments, resolveFlags } from './flags/parse.ts';
import { renderSubcommand } from './help.ts';

/** What a subcommand gets: its flags' values, which of them were given, and its arguments. */
export interface SubcommandCall {
  readonly context: CommandContext;
  readonly values: FlagValues;
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
}

export interface Subcommand extends FamilyMember {
  run(call: SubcommandCall): Promise<number>;
}

const defaultConfigFile = '/etc/rancher/k3s/config.yaml';

/** A command such as `k3ts token` that is a family of others, with help for it and for each. */
export function createFamily(options: {
  name: string;
  summary: string;
  subcommands: Readonly<Record<string, Subcommand>>;
}): Command {
  const { name, summary, subcommands } = options;
  return {
    name,
    summary,
    words: Object.keys(subcommands),
    family: subcommands,
    async run(context) {
      const [word, ...rest] = context.args;
      if (word === undefined || ['help', '--help', '-h'].includes(word)) {
        context.stdout(renderFamily(options));
        return 0;
      }
      const subcommand = Object.hasOwn(subcommands, word) ? subcommands[word] : undefined;
      if (subcommand === undefined) {
        throw new K3tsError('Usage', `${name} has no command "${word}"\n${renderFamily(options)}`);
      }
      if (rest.includes('--help') || rest.includes('-h')) {
        context.stdout(renderSubcommand(`k3ts ${name} ${word}`, subcommand));
        return 0;
      }
      const { raw, positionals } = parseArguments(subcommand.flags, rest);
      if (subcommand.argumentsText === undefined && positionals[0] !== undefined) {
        throw new K3tsError('Usage', `unexpected argument "${positionals[0]}"`);
      }
      const values = valuesOf(subcommand.flags, raw, context);
      return await subcommand.run({ context, args: positionals, ...values });
    },
  };
}

/** Command line, then the server's own config file (`data-dir` may be in it), then environment. */
export function valuesOf(
  flags: readonly Flag[],
  commandLine: Parameters<typeof resolveFlags>[1]['commandLine'],
  { environment }: Pick<CommandContext, 'environment'>,
): ReturnType<typeof resolveFlags> {
  const givenFile = commandLine.get('config')?.at(-1) ?? environment['K3S_CONFIG_FILE'];
  const path = typeof givenFile === 'string' && givenFile !== '' ? givenFile : undefined;
  const config = readConfigFile(path ?? defaultConfigFile, {
    explicit: path !== undefined,
    flags,
  });
  // The file is the server's: what this command does not know there is no mistake.
  return resolveFlags(flags, { commandLine, configFile: config.raw, environment });
}

function renderFamily({ name, summary, subcommands }: Parameters<typeof createFamily>[0]): string {
  const names = Object.keys(subcommands);
  const width = Math.max(...names.map((word) => word.length)) + 2;
  const lines = names.map((word) => `   ${word.padEnd(width)}${subcommands[word]?.summary ?? ''}`);
  return `NAME:
   k3ts ${name} - ${summary}

USAGE:
   k3ts ${name} COMMAND [FLAGS] [ARGS]

COMMANDS:
${lines.join('\n')}

Run "k3ts ${name} COMMAND --help" for the flags of a command.
`;
}
