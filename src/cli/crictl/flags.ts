import type { Flag } from '../flags/flag.ts';

const group = 'crictl';

/** Flags of the subcommands; each takes those that it understands and ignores none in silence. */
export const crictlFlags = {
  output: {
    name: 'output',
    short: 'o',
    type: 'string',
    default: 'table',
    help: 'Output format: table or json',
    group,
  },
  all: { name: 'all', short: 'a', type: 'boolean', help: 'Show all, not only running', group },
  quiet: { name: 'quiet', short: 'q', type: 'boolean', help: 'Show IDs only', group },
  noTrunc: { name: 'no-trunc', type: 'boolean', help: 'Show whole IDs', group },
  name: { name: 'name', type: 'string', help: 'Filter by name (a regular expression)', group },
  namespace: { name: 'namespace', type: 'string', help: 'Filter by pod namespace', group },
  pod: { name: 'pod', short: 'p', type: 'string', help: 'Filter by pod ID', group },
  tail: { name: 'tail', type: 'integer', help: 'Lines to show from the end, -1 for all', group },
  follow: { name: 'follow', short: 'f', type: 'boolean', help: 'Go on with what comes', group },
  timestamps: { name: 'timestamps', short: 't', type: 'boolean', help: 'Show times', group },
  since: {
    name: 'since',
    type: 'string',
    help: 'Only from this time on, or since this long ago (5m, 2h)',
    group,
  },
  creds: {
    name: 'creds',
    type: 'string',
    help: 'USERNAME[:PASSWORD] for the registry',
    group,
  },
  allImages: { name: 'all', short: 'a', type: 'boolean', help: 'Remove all images', group },
  unused: {
    name: 'prune',
    short: 'q',
    type: 'boolean',
    help: 'Remove all images that no container uses',
    group,
  },
  stopTimeout: {
    name: 'timeout',
    short: 't',
    type: 'integer',
    default: 0,
    help: 'Seconds to wait before the container is killed',
    group,
  },
  force: { name: 'force', short: 'f', type: 'boolean', help: 'Stop it first', group },
  timeout: {
    name: 'timeout',
    type: 'integer',
    default: 0,
    help: 'Seconds after which the command is ended, 0 for never',
    group,
  },
  interactive: { name: 'interactive', short: 'i', type: 'boolean', help: 'Keep stdin open', group },
  tty: { name: 'tty', short: 't', type: 'boolean', help: 'Use a terminal', group },
  sync: { name: 'sync', short: 's', type: 'boolean', help: 'Run without streams', group },
} as const satisfies Record<string, Flag>;
