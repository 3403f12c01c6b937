import { K3tsError } from '#base/errors.ts';
import type { Random } from '#base/random.ts';
import type { Secret } from '#schema/types.ts';

/** A token that joins nodes for a while, as a Secret in kube-system keeps it. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  readonly description: string;
  /** Milliseconds since 1970; undefined for a token without an end. */
  readonly expiresMs: number | undefined;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
}

export const tokenNamespace = 'kube-system';
const secretType = 'bootstrap.kubernetes.io/token';
export const tokenSelector = `type=${secretType}`;
export const knownUsages: readonly string[] = ['signing', 'authentication'];
export const defaultGroup = 'system:bootstrappers:k3s:default-node-token';

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';
const idPattern = /^[a-z0-9]{6}$/;
const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** A new `id.secret` by chance. */
export function generateToken(random: Random): string {
  const letters = (count: number): string =>
    Array.from({ length: count }, () => alphabet[random.integer(alphabet.length)]).join('');
  return `${letters(6)}.${letters(16)}`;
}

/** Splits `id.secret`, with or without k3s' `K10<hash>::` before it; throws `Usage` for others. */
export function splitToken(text: string): { id: string; secret: string } {
  const [, id, secret] = tokenPattern.exec(text.replace(/^K10[0-9a-f]*::/, '')) ?? [];
  if (id === undefined || secret === undefined) {
    throw new K3tsError(
      'Usage',
      `the bootstrap token ${JSON.stringify(text)} was not of the form "${tokenPattern.source}"`,
    );
  }
  return { id, secret };
}

/** The id in an id, an `id.secret` or a full token. */
export function tokenId(text: string): string {
  return idPattern.test(text) ? text : splitToken(text).id;
}

export function secretName(id: string): string {
  return `bootstrap-token-${id}`;
}

/** The Secret of a token, as kubeadm writes it. Throws `Usage` for what no server would accept. */
export function secretOf(token: BootstrapToken): Secret {
  for (const usage of token.usages) {
    if (knownUsages.includes(usage)) continue;
    throw new K3tsError(
      'Usage',
      `invalid bootstrap token usage string: ${usage}, valid usage options: ${knownUsages.join(', ')}`,
    );
  }
  for (const group of token.groups) {
    if (groupPattern.test(group)) continue;
    throw new K3tsError(
      'Usage',
      `bootstrap group ${JSON.stringify(group)} is invalid (must match \\A${groupPattern.source.slice(1, -1)}\\z)`,
    );
  }
  const texts: Record<string, string> = {
    'token-id': token.id,
    'token-secret': token.secret,
    ...(token.description === '' ? {} : { description: token.description }),
    ...(token.expiresMs === undefined ? {} : { expiration: timeText(token.expiresMs) }),
    ...Object.fromEntries(token.usages.map((usage) => [`usage-bootstrap-${usage}`, 'true'])),
    ...(token.groups.length === 0 ? {} : { 'auth-extra-groups': token.groups.join(',') }),
  };
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  const metadata = { name: secretName(token.id), namespace: tokenNamespace };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: secretType, data };
}

/** The token in a Secret; throws `BadToken` when its name or content is not that of a token. */
export function tokenOf({ metadata, data = {} }: Secret): BootstrapToken {
  const textOf = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  const id = textOf('token-id');
  const secret = textOf('token-secret');
  if (!tokenPattern.test(`${id}.${secret}`) || metadata.name !== secretName(id)) {
    throw new K3tsError(
      'BadToken',
      `bootstrap token Secret ${JSON.stringify(metadata.name)} has no valid token-id and token-secret`,
    );
  }
  const end = textOf('expiration');
  const usages = Object.keys(data)
    .filter((key) => key.startsWith('usage-bootstrap-') && textOf(key) === 'true')
    .map((key) => key.slice('usage-bootstrap-'.length))
    .sort();
  const groups = textOf('auth-extra-groups').split(',').filter(Boolean);
  return {
    id,
    secret,
    description: textOf('description'),
    expiresMs: end === '' ? undefined : Date.parse(end),
    usages,
    groups,
  };
}

/** RFC 3339 in whole seconds. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
