import { createHash, timingSafeEqual } from 'node:crypto';

import type { UserInfo } from '../request.ts';
import type { Authenticator } from './authenticator.ts';
import { unauthorized } from './failures.ts';
import { bearerToken, headerOf } from './headers.ts';

/** One line of a password file. */
export interface PasswordUser {
  readonly name: string;
  readonly password: string;
  readonly uid: string;
  readonly groups: readonly string[];
}

/** Reads k3s' server/cred/passwd: `password,user,uid,"group1,group2"` lines. */
export function parsePasswordFile(text: string): PasswordUser[] {
  const users: PasswordUser[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [password = '', name = '', uid = '', groups = ''] = splitCsv(line.trim());
    users.push({ name, password, uid, groups: groups.split(',').filter((group) => group !== '') });
  }
  return users;
}

/** The fields of a line of comma-separated values, quotes taken off. */
export function splitCsv(line: string): string[] {
  const fields: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
  }
  return fields;
}

/**
 * HTTP basic authentication against a list of users: the supervisor's `node` and `server`. A known
 * user with a wrong password is an error, an unknown user is left to the next authenticator.
 */
export function createPasswordAuthenticator(options: {
  users: () => readonly PasswordUser[];
}): Authenticator {
  return {
    async authenticate(credentials) {
      const match = /^basic +(\S+)$/i.exec(headerOf(credentials, 'authorization').trim());
      if (match === null) return undefined;
      const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
      const colon = text.indexOf(':');
      if (colon < 0) throw unauthorized('basic credentials cannot be decoded');
      const user = options.users().find((entry) => entry.name === text.slice(0, colon));
      if (user === undefined) return undefined;
      if (!sameSecret(text.slice(colon + 1), user.password)) throw unauthorized('wrong password');
      return { user: { name: user.name, uid: user.uid, groups: user.groups } };
    },
  };
}

/** A fixed bearer token for each user (--token-auth-file, the loopback token). */
export function createStaticTokenAuthenticator(options: {
  tokens: () => readonly { token: string; user: UserInfo }[];
}): Authenticator {
  return {
    async authenticate(credentials) {
      const token = bearerToken(credentials);
      if (token === undefined) return undefined;
      const entry = options.tokens().find((candidate) => sameSecret(token, candidate.token));
      return entry === undefined ? undefined : { user: entry.user };
    },
  };
}

/** Compares in a time that does not depend on where the texts differ. */
export function sameSecret(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
