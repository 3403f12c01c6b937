import { lstat, readlink, rm, symlink } from 'node:fs/promises';

import { K3tsError } from '#base/errors.ts';
import type { Random } from '#base/random.ts';
import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';
import { formatJoinToken, parseJoinToken } from '#pki/mod.ts';
import type { ServerPaths } from './paths.ts';

/** Users of the supervisor API; the password file is k3s' cred/passwd. */
export interface SupervisorUser {
  readonly name: string;
  readonly password: string;
  readonly groups: readonly string[];
}

export interface JoinCredentials {
  readonly users: readonly SupervisorUser[];
  /** Full token that joins agents. */
  readonly agentToken: string;
  /** Full token that joins servers. */
  readonly serverToken: string;
}

/**
 * Settles on the tokens and writes cred/passwd, token, node-token and agent-token. The server's
 * password is the one given, else the one on disk, else a new one; a given one that differs from
 * the disk is refused with `TokenMismatch`, because data may be encrypted with the old one.
 */
export async function ensureJoinCredentials(options: {
  paths: ServerPaths;
  serverCaPem: string;
  token: string;
  agentToken: string;
  random: Random;
}): Promise<JoinCredentials> {
  const { paths, serverCaPem, random } = options;
  const onDisk = await readPasswords(paths.passwd);
  const given = options.token === '' ? undefined : parseJoinToken(options.token).password;
  const stored = onDisk.get('server');
  if (given !== undefined && stored !== undefined && given !== stored) {
    throw new K3tsError(
      'TokenMismatch',
      `the token given is not the one this server was created with (${paths.token}): ` +
        'start with that one, or with none',
    );
  }
  const serverPassword = given ?? stored ?? random.bytes(16).toString('hex');
  const nodePassword =
    options.agentToken === '' ? serverPassword : parseJoinToken(options.agentToken).password;
  const users: SupervisorUser[] = [
    { name: 'node', password: nodePassword, groups: ['k3s:agent'] },
    { name: 'server', password: serverPassword, groups: ['k3s:server'] },
  ];
  const passwd = users
    .map(({ name, password, groups }) => `${password},${name},${name},${groups.join()}\n`)
    .join('');
  if ((await readFileIfExists(paths.passwd)) !== passwd) {
    await writeFileAtomic(paths.passwd, passwd);
  }
  const serverToken = formatJoinToken(serverCaPem, 'server', serverPassword);
  const agentToken = formatJoinToken(serverCaPem, 'node', nodePassword);
  await writeIfChanged(paths.token, `${serverToken}\n`);
  await linkTo(paths.nodeToken, paths.token);
  if (nodePassword === serverPassword) await linkTo(paths.agentToken, paths.token);
  else await writeIfChanged(paths.agentToken, `${agentToken}\n`);
  return { users, agentToken, serverToken };
}

async function readPasswords(path: string): Promise<Map<string, string>> {
  const passwords = new Map<string, string>();
  for (const line of ((await readFileIfExists(path)) ?? '').split('\n')) {
    const [password, user] = line.split(',');
    if (password !== undefined && user !== undefined) passwords.set(user, password);
  }
  return passwords;
}

async function writeIfChanged(path: string, content: string): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat?.isSymbolicLink() === true) await rm(path);
  if ((await readFileIfExists(path)) !== content) await writeFileAtomic(path, content);
}

async function linkTo(path: string, target: string): Promise<void> {
  const current = await readlink(path).catch(() => undefined);
  if (current === target) return;
  await rm(path, { force: true });
  await symlink(target, path);
}
