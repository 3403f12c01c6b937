import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { systemClock } from '#base/clock.ts';
import { parseDuration } from '#base/duration.ts';
import { K3tsError, hasCode, messageOf } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import type { HttpClient } from '#client/mod.ts';
import type { Secret } from '#schema/types.ts';
import type { Command } from '../command.ts';
import { listFlag, stringFlag } from '../flags/flag.ts';
import type { Flag, FlagValues } from '../flags/flag.ts';
import { createFamily } from '../subcommands.ts';
import type { SubcommandCall } from '../subcommands.ts';
import { callSupervisor, supervisorFlags } from '../supervisor-call.ts';
import {
  defaultGroup,
  generateToken,
  knownUsages,
  secretName,
  secretOf,
  splitToken,
  tokenId,
  tokenNamespace,
  tokenOf,
  tokenSelector,
} from '../token/bootstrap-token.ts';
import type { BootstrapToken } from '../token/bootstrap-token.ts';
import { renderTokens, renderTokensJson } from '../token/list-tokens.ts';

const serverKubeconfig = '/etc/rancher/k3s/k3s.yaml';
const dayMs = 24 * 3600 * 1000;
const group = 'token';

const commonFlags: readonly Flag[] = [
  {
    name: 'data-dir',
    type: 'string',
    short: 'd',
    env: 'K3S_DATA_DIR',
    default: '/var/lib/rancher/k3s',
    help: 'Folder to hold state',
    group,
  },
  {
    name: 'kubeconfig',
    type: 'string',
    env: 'KUBECONFIG',
    help: `Server to connect to (default: ${serverKubeconfig})`,
    group,
  },
];
const output: Flag = {
  name: 'output',
  type: 'string',
  short: 'o',
  default: 'text',
  help: 'Output format: text or json',
  group,
};
const newToken: Flag = {
  name: 'new-token',
  type: 'string',
  help: 'New token that replaces the existing one; made by chance when not given',
  group,
};
const createFlags: readonly Flag[] = [
  { name: 'description', type: 'string', help: 'What the token is used for', group },
  {
    name: 'groups',
    type: 'list',
    help: `Extra groups of who shows the token (default: ${defaultGroup})`,
    group,
  },
  {
    name: 'ttl',
    type: 'string',
    default: '24h0m0s',
    help: 'Time until the token is deleted (1s, 2m, 3h); 0 keeps it for ever',
    group,
  },
  {
    name: 'usages',
    type: 'list',
    help: `What the token may be used for (default: ${knownUsages.join(',')})`,
    group,
  },
];

/** Bootstrap tokens, with which nodes join for a while, and the rotation of the server's own. */
export const tokenCommand: Command = createFamily({
  name: 'token',
  summary: 'Manage tokens',
  subcommands: {
    create: {
      summary: 'Create bootstrap tokens on the server',
      flags: [...commonFlags, ...createFlags],
      argumentsText: '[TOKEN]',
      run: createToken,
    },
    delete: {
      summary: 'Delete bootstrap tokens on the server',
      flags: commonFlags,
      argumentsText: 'TOKEN...',
      run: deleteTokens,
    },
    generate: {
      summary: 'Generate and print a bootstrap token, but do not create it on the server',
      flags: commonFlags,
      run({ context }) {
        context.stdout(`${generateToken(systemRandom)}\n`);
        return Promise.resolve(0);
      },
    },
    list: {
      summary: 'List bootstrap tokens on the server',
      flags: [...commonFlags, output],
      run: listTokens,
    },
    rotate: {
      summary: 'Rotate original server token with a new server token',
      flags: [...supervisorFlags, newToken],
      run: rotateToken,
    },
  },
});

async function createToken({ context, values, given, args }: SubcommandCall): Promise<number> {
  const [wanted = generateToken(systemRandom), ...more] = args;
  if (more.length > 0) throw new K3tsError('Usage', 'token create takes one token');
  const { id, secret } = splitToken(wanted);
  const ttlMs = readTtl(values);
  const token: BootstrapToken = {
    id,
    secret,
    description: stringFlag(values, 'description') ?? '',
    expiresMs: ttlMs === 0 ? undefined : systemClock.now() + ttlMs,
    usages: given.has('usages') ? listFlag(values, 'usages') : knownUsages,
    groups: given.has('groups') ? listFlag(values, 'groups') : [defaultGroup],
  };
  const body = secretOf(token);
  await withClient(values, async (client, caPem) => {
    const { resources } = await import('#client/mod.ts');
    try {
      await client.create(resources.secrets, body, { namespace: tokenNamespace });
    } catch (error) {
      if (!hasCode(error, 'AlreadyExists')) throw error;
      throw new K3tsError('Usage', `a token with id "${id}" already exists`, { cause: error });
    }
    const { caHash } = await import('#pki/mod.ts');
    context.stdout(`K10${caPem === '' ? '' : caHash(caPem)}::${id}.${secret}\n`);
  });
  return 0;
}

function readTtl(values: FlagValues): number {
  const text = stringFlag(values, 'ttl') ?? '';
  try {
    const ttlMs = text === '' ? dayMs : parseDuration(text);
    if (ttlMs >= 0) return ttlMs;
  } catch (error) {
    throw new K3tsError('Usage', `invalid --ttl "${text}": ${messageOf(error)}`, { cause: error });
  }
  throw new K3tsError('Usage', `invalid --ttl "${text}": must not be negative`);
}

async function rotateToken({ context, values }: SubcommandCall): Promise<number> {
  const warning = context.isTerminal ? '\u001B[33mWARNING\u001B[0m' : 'WARNING';
  context.stdout(
    `${warning}: Recommended to keep a record of the old token. If restoring from a snapshot, ` +
      'you must use the token associated with that snapshot.\n',
  );
  await callSupervisor(values, {
    command: 'token rotate',
    method: 'PUT',
    path: '/v1-k3s/token',
    body: JSON.stringify({ newToken: stringFlag(values, 'new-token') ?? '' }),
  });
  context.stdout('Token rotated, restart k3ts nodes with new token\n');
  return 0;
}

async function deleteTokens({ context, values, args }: SubcommandCall): Promise<number> {
  if (args.length === 0) {
    throw new K3tsError('Usage', "missing argument; 'token delete' is missing token");
  }
  const ids = args.map(tokenId);
  await withClient(values, async (client) => {
    const { resources } = await import('#client/mod.ts');
    for (const id of ids) {
      try {
        await client.delete(resources.secrets, secretName(id), { namespace: tokenNamespace });
      } catch (error) {
        const reason = `failed to delete bootstrap token "${id}": ${messageOf(error)}`;
        throw new K3tsError('Refused', reason, { cause: error });
      }
      context.stdout(`bootstrap token "${id}" deleted\n`);
    }
  });
  return 0;
}

async function listTokens({ context, values }: SubcommandCall): Promise<number> {
  const format = stringFlag(values, 'output') ?? 'text';
  if (format !== 'text' && format !== 'json') {
    throw new K3tsError('Usage', `invalid output format: ${format}`);
  }
  await withClient(values, async (client) => {
    const { resources } = await import('#client/mod.ts');
    const { items } = await client.list<Secret>(resources.secrets, {
      namespace: tokenNamespace,
      fieldSelector: tokenSelector,
    });
    const tokens: BootstrapToken[] = [];
    for (const item of items) {
      try {
        tokens.push(tokenOf(item));
      } catch (error) {
        // One that somebody spoiled does not hide the others.
        context.stderr(`k3ts: ${messageOf(error)}\n`);
      }
    }
    context.stdout(
      format === 'json' ? renderTokensJson(tokens) : renderTokens(tokens, systemClock.now()),
    );
  });
  return 0;
}

/** Calls with a client of the cluster and the PEM of its authority, '' when the file names none. */
async function withClient(
  values: FlagValues,
  call: (client: HttpClient, caPem: string) => Promise<void>,
): Promise<void> {
  const path = stringFlag(values, 'kubeconfig') ?? serverKubeconfig;
  if (!existsSync(path)) {
    throw new K3tsError(
      'Usage',
      `there is no ${path}: run this on a server, or set --kubeconfig or KUBECONFIG`,
    );
  }
  const { createKubeconfigClient, parseKubeconfig } = await import('#client/mod.ts');
  const { ca } = parseKubeconfig(await readKubeconfig(path));
  const bytes =
    ca.data ?? (ca.file === undefined ? '' : await readFile(resolve(dirname(path), ca.file)));
  const client = await createKubeconfigClient(path, {
    userAgent: 'k3ts-token',
    clock: systemClock,
    log: silentLogger,
  });
  try {
    await call(client, bytes.toString());
  } finally {
    client.close();
  }
}

async function readKubeconfig(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const hint = hasCode(error, 'EACCES') ? ': use sudo, or set --kubeconfig or KUBECONFIG' : '';
    throw new K3tsError('Usage', `cannot read ${path}${hint} (${messageOf(error)})`, {
      cause: error,
    });
  }
}
