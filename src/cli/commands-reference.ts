import { commands } from './commands.ts';
import type { Flag } from './flags/flag.ts';

/** docs/reference/commands.md: commands other than server and agent, with what they take. */
export async function renderCommandsReference(): Promise<string> {
  const sections: string[] = [];
  for (const [name, entry] of Object.entries(commands)) {
    if (entry.isHidden === true || name === 'server' || name === 'agent') continue;
    const { summary, flags = [], family, usage } = await entry.load();
    sections.push(`## k3ts ${name}\n\n${entry.summary === summary ? summary : entry.summary}.`);
    if (usage !== undefined) sections.push(`\`${usage}\``);
    if (flags.length > 0) sections.push(table(flags.map((flag) => [flagText(flag), flag.help])));
    if (family === undefined) continue;
    const rows = Object.entries(family).map(([word, member]) => [
      `\`${[word, member.argumentsText].filter(Boolean).join(' ')}\``,
      member.summary,
      member.flags
        .filter(({ hidden }) => hidden !== true)
        .map(flagText)
        .join(', '),
    ]);
    sections.push(table(rows, ['command', 'what it does', 'flags']));
  }
  return `# Commands of k3ts

Generated from \`src/cli/commands\` by \`npm run generate:docs\`; do not edit. \`k3ts server\` and
\`k3ts agent\` are in [flags.md](flags.md). \`k3ts COMMAND --help\` says the same and more.

${sections.join('\n\n')}
`;
}

function table(
  rows: readonly (readonly string[])[],
  header: readonly string[] = ['flag', 'meaning'],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function flagText({ name, short, notBuilt }: Flag): string {
  const names = short === undefined ? `--${name}` : `--${name}, -${short}`;
  return `\`${names}\`${notBuilt === true ? ' (not yet)' : ''}`;
}
