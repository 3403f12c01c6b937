import type { Command, FamilyMember } from './command.ts';
import { commands } from './commands.ts';
import type { Flag } from './flags/flag.ts';
import { version } from './version.ts';

export function renderHelp(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length)) + 2;
  const lines = Object.entries(commands)
    .filter(([, entry]) => entry.isHidden !== true)
    .map(([name, entry]) => `   ${name.padEnd(width)}${entry.summary}`);
  return `NAME:
   k3ts - Kubernetes in TypeScript, a drop-in for k3s

USAGE:
   k3ts COMMAND [FLAGS] [ARGS]

VERSION:
   ${version}

COMMANDS:
${lines.join('\n')}

Run "k3ts COMMAND --help" for the flags of a command.
`;
}

export function renderCommandHelp(command: Command): string {
  const flags = (command.flags ?? []).filter((flag) => flag.hidden !== true);
  const groups = [...new Set(flags.map((flag) => flag.group))];
  const sections = groups.map((group) => {
    const lines = flags.filter((flag) => flag.group === group).map(flagLine);
    return `   (${group})\n${lines.join('\n')}`;
  });
  return `NAME:
   k3ts ${command.name} - ${command.summary}

USAGE:
   ${command.usage ?? `k3ts ${command.name} [FLAGS]`}
${sections.length === 0 ? '' : `\nFLAGS:\n${sections.join('\n')}\n`}`;
}

/** Help for a command of a family; `words` are those that call it. */
export function renderSubcommand(
  words: string,
  { summary, flags, argumentsText }: FamilyMember,
): string {
  const usage = [words, flags.length === 0 ? '' : '[FLAGS]', argumentsText].filter(Boolean);
  const lines = flags.filter(({ hidden }) => hidden !== true).map(flagLine);
  const section = lines.length === 0 ? '' : `\nFLAGS:\n${lines.join('\n')}\n`;
  return `NAME:\n   ${words} - ${summary}\n\nUSAGE:\n   ${usage.join(' ')}\n${section}`;
}

/** One line of help: names, what it is for, default, environment variable. */
export function flagLine(flag: Flag): string {
  const names = flag.short === undefined ? `--${flag.name}` : `--${flag.name}, -${flag.short}`;
  const value = flag.type === 'boolean' ? '' : ' value';
  const notes = [
    flag.default === undefined ? '' : ` (default: ${String(flag.default)})`,
    flag.env === undefined ? '' : ` [$${flag.env}]`,
    flag.notBuilt === true ? builtNote(flag) : '',
  ];
  return `   ${`${names}${value}`.padEnd(44)} ${flag.help}${notes.join('')}`;
}

function builtNote(flag: Flag): string {
  if (flag.builtValues === undefined) return ' (not built yet)';
  return ` (built so far: ${flag.builtValues.join(', ')})`;
}
