import { agentFlags, agentOnlyFlags, commonFlags } from './agent-flags.ts';
import type { Flag } from './flag.ts';
import { serverFlags } from './server-flags.ts';

/** docs/reference/flags.md: every flag, what it does, and whether it acts yet. */
export function renderFlagsReference(): string {
  return `# Flags of k3ts

Generated from \`src/cli/flags\` by \`npm run generate:docs\`; do not edit. Every flag of k3s is
known. One that is not built yet ends with a clear message and exit code 1; it is never ignored.

Order of strength: command line, config file (\`/etc/rancher/k3s/config.yaml\`, then \`config.yaml.d/*.yaml\`),
environment, default. Keys of the config file are flag names without dashes; \`key+\` appends to a
list.

## k3ts server

${table([...commonFlags, ...serverFlags])}

The flags of the agent below are taken too, for the node of the server.

## k3ts agent

${table([...commonFlags, ...agentOnlyFlags, ...agentFlags])}
`;
}

function table(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => {
    const names = flag.short === undefined ? `--${flag.name}` : `--${flag.name}, -${flag.short}`;
    const fallback = flag.default === undefined ? '' : `\`${String(flag.default)}\``;
    const environment = flag.env === undefined ? '' : `\`${flag.env}\``;
    return `| \`${names}\` | ${environment} | ${fallback} | ${stateOf(flag)} | ${flag.help} |`;
  });
  return [
    '| flag | environment | default | acts | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function stateOf(flag: Flag): string {
  if (flag.deprecated !== undefined) return `deprecated: ${flag.deprecated}`;
  if (flag.notBuilt !== true) return 'yes';
  if (flag.builtValues === undefined) return 'not yet';
  return flag.builtValues.map((value) => `\`${value}\``).join(', ');
}
