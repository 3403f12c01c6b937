import { K3tsError } from '#base/errors.ts';
import type { Command, CommandContext } from '../command.ts';
import type { Flag, FlagValues } from '../flags/flag.ts';
import { booleanFlag, stringFlag } from '../flags/flag.ts';
import { parseArguments } from '../flags/parse.ts';
import { valuesOf } from '../subcommands.ts';
import { callSupervisor, supervisorFlags } from '../supervisor-call.ts';

const group = 'options';
const flags: readonly Flag[] = [
  ...supervisorFlags,
  { name: 'output', type: 'string', short: 'o', help: 'Status format: text or json', group },
  { name: 'force', type: 'boolean', short: 'f', help: 'Force this stage', group },
  { name: 'skip', type: 'boolean', help: 'Keep the old key after reencryption', group },
];

interface Change {
  readonly summary: string;
  readonly body: Readonly<Record<string, string | boolean>>;
  readonly done: string;
}

const changes: Readonly<Record<string, Change>> = {
  enable: {
    summary: 'Enable secrets encryption',
    body: { enable: true },
    done: 'secrets-encryption enabled',
  },
  disable: {
    summary: 'Disable secrets encryption',
    body: { enable: false },
    done: 'secrets-encryption disabled',
  },
  prepare: {
    summary: 'Add a new key that is not used yet',
    body: { stage: 'prepare' },
    done: 'prepare completed successfully',
  },
  rotate: {
    summary: 'Use the new key for what is written',
    body: { stage: 'rotate' },
    done: 'rotate completed successfully',
  },
  reencrypt: {
    summary: 'Write all secrets with the new key and remove the old one',
    body: { stage: 'reencrypt_request' },
    done: 'reencryption completed',
  },
  'rotate-keys': {
    summary: 'Add a key, write all secrets with it and remove the old one',
    body: { stage: 'rotate_keys' },
    done: 'keys rotated, reencryption completed',
  },
};

interface Status {
  readonly enable?: boolean | null;
  readonly stage?: string;
  readonly activekey?: string;
  readonly keytype?: string;
  readonly hashmatch?: boolean;
  readonly hasherror?: string;
  readonly inactivekeys?: readonly string[];
}

/** Shows and changes the keys that secrets are encrypted with, through the running server. */
export const secretsEncryptCommand: Command = {
  name: 'secrets-encrypt',
  summary: 'Control secrets encryption and keys rotation',
  flags,
  usage:
    'k3ts secrets-encrypt status|enable|disable|prepare|rotate|reencrypt|rotate-keys [options]',
  words: ['status', ...Object.keys(changes)],
  async run(context) {
    const { raw, positionals } = parseArguments(flags, context.args);
    const { values } = valuesOf(flags, raw, context);
    const [name = ''] = positionals;
    if (name === 'status') return await printStatus(context, values);
    const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
    if (change === undefined || positionals.length > 1) {
      const lines = Object.entries(changes).map(([word, { summary }]) => `  ${word}: ${summary}`);
      throw new K3tsError(
        'Usage',
        `secrets-encrypt: one of these is needed:\n  status: Show the state\n${lines.join('\n')}`,
      );
    }
    const body = {
      ...change.body,
      ...(booleanFlag(values, 'force') ? { force: true } : {}),
      ...(booleanFlag(values, 'skip') ? { skip: true } : {}),
    };
    await callSupervisor(values, {
      command: 'secrets-encrypt',
      method: 'PUT',
      path: '/v1-k3s/encrypt/config',
      body: JSON.stringify(body),
    });
    context.stdout(`${change.done}\n`);
    return 0;
  },
};

async function printStatus(context: CommandContext, values: FlagValues): Promise<number> {
  const text = await callSupervisor(values, {
    command: 'secrets-encrypt',
    method: 'GET',
    path: '/v1-k3s/encrypt/status',
  });
  if (stringFlag(values, 'output') === 'json') {
    context.stdout(`${text}\n`);
    return 0;
  }
  const status = JSON.parse(text) as Status;
  if (status.enable === null || status.enable === undefined) {
    context.stdout('Encryption Status: Disabled, no configuration file found\n');
    return 0;
  }
  const type = (status.keytype ?? 'AES-CBC').padEnd(17);
  const rows = [
    ` *      ${type}  ${status.activekey ?? ''}`,
    ...(status.inactivekeys ?? []).map((name) => `        ${type}  ${name}`),
  ];
  const hashes = status.hashmatch === true ? 'All hashes match' : (status.hasherror ?? '');
  context.stdout(
    [
      `Encryption Status: ${status.enable ? 'Enabled' : 'Disabled'}`,
      `Current Rotation Stage: ${status.stage ?? ''}`,
      `Server Encryption Hashes: ${hashes}`,
      '',
      `Active  ${'Key Type'.padEnd(17)}  Name`,
      `------  ${'--------'.padEnd(17)}  ----`,
      ...rows,
      '',
    ].join('\n'),
  );
  return 0;
}
