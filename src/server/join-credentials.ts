import { lstat, readlink, rm, symlink } from 'node:fs/promises';

import { K3tsError, messageOf } from '#base/errors.ts';
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

/** Where the tokens are kept, and what goes into them besides the server's password. */
export interface CredentialFiles {
  readonly paths: ServerPaths;
  readonly serverCaPem: string;
  /** --agent-token; empty when agents join with the server's. */
  readonly agentToken: string;
}

/**
 * Settles on the tokens and writes cred/passwd, token, node-token and agent-token. The server's
 * password is the one given, else the one on disk, else a new one; a given one that differs from
 * the disk is refused with `TokenMismatch`, because data may be encrypted with the old one.
 */
export async function ensureJoinCredentials(
  options: CredentialFiles & { token: string; random: Random },
): Promise<JoinCredentials> {
  const { paths, random } = options;
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
  return await writeCredentials(options, given ?? stored ?? newPassword(random));
}

/**
 * Replaces the server's password, and the nodes' unless --agent-token gave them one of their own,
 * by the one of `newToken` or a new one when it is empty. Throws `BadRequest` for a token without
 * a password. The caller must hand the answer to whoever checks passwords.
 */
export async function rotateJoinToken(
  options: CredentialFiles & { newToken: string; random: Random },
): Promise<JoinCredentials> {
  if (options.newToken === '') return await writeCredentials(options, newPassword(options.random));
  let password = '';
  try {
    ({ password } = parseJoinToken(options.newToken));
  } catch (error) {
    throw new K3tsError('BadRequest', messageOf(error), { cause: error });
  }
  if (password === '') throw new K3tsError('BadRequest', 'the new token holds no password');
  return await writeCredentials(options, password);
}

function newPassword(random: Random): string {
  return random.bytes(16).toString('hex');
}

async function writeCredentials(
  { paths, serverCaPem, agentToken: ownAgentToken }: CredentialFiles,
  serverPassword: string,
): Promise<JoinCredentials> {
  const nodePassword =
    ownAgentToken === '' ? serverPassword : parseJoinToken(ownAgentToken).password;
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
