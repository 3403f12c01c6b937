import type { Secret } from '#schema/types.ts';
import type { AuthConfig } from '../cri/mod.ts';
import { repositoryOf } from './image-name.ts';
import { credentialHash } from './pull-credential.ts';
import type { PullCredential, PullSecret, PullServiceAccount } from './pull-credential.ts';

/** An entry of a docker config file: by name and password, or both as base64 in `auth`. */
export interface DockerAuth {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
  registrytoken?: string;
}

export type DockerAuths = Readonly<Record<string, DockerAuth>>;

/** Credentials by registry, and whose they are; the node's when nobody is named. */
export interface CredentialSource {
  readonly auths: DockerAuths;
  readonly secret?: Secret | undefined;
  readonly serviceAccount?: PullServiceAccount | undefined;
}

/** Credentials that fit the image, the most specific first. Broken secrets are passed over. */
export function credentialsFor(image: string, secrets: readonly Secret[]): PullCredential[] {
  return fitting(
    image,
    secrets.map((secret) => ({ auths: authsOf(secret), secret })),
  );
}

/** The same out of the node's docker configs. */
export function fittingCredentials(
  image: string,
  configs: readonly CredentialSource[],
): PullCredential[] {
  return fitting(image, configs);
}

function fitting(image: string, sources: readonly CredentialSource[]): PullCredential[] {
  const repository = repositoryOf(image);
  return sources
    .flatMap(({ auths, ...of }) =>
      Object.entries(auths).map(([key, entry]) => ({ key, entry, ...of })),
    )
    .filter(({ key }) => isMatch(key, repository))
    .sort((a, b) => b.key.length - a.key.length)
    .map(({ entry, secret, serviceAccount }) => {
      const auth = authConfig(entry);
      if (secret !== undefined) return { auth, secret: pullSecret(secret, auth) };
      return serviceAccount === undefined ? { auth } : { auth, serviceAccount };
    });
}

function pullSecret({ metadata }: Secret, auth: AuthConfig): PullSecret {
  const { name, namespace = 'default', uid = '' } = metadata;
  return { uid, namespace, name, credentialHash: credentialHash(auth) };
}

function authsOf(secret: Secret): DockerAuths {
  const current = secret.data?.['.dockerconfigjson'];
  const legacy = secret.data?.['.dockercfg'];
  const text = Buffer.from(current ?? legacy ?? '', 'base64').toString('utf8');
  return readDockerConfig(text, current === undefined);
}

/** `isLegacy`: .dockercfg, which is what newer files have under `auths`. Broken ones are empty. */
export function readDockerConfig(text: string, isLegacy: boolean): DockerAuths {
  try {
    const parsed = JSON.parse(text) as (DockerAuths & { auths?: DockerAuths }) | null;
    if (parsed === null || typeof parsed !== 'object') return {};
    return isLegacy ? parsed : (parsed.auths ?? {});
  } catch {
    return {};
  }
}

/** `*.example.com/team` style keys: hosts by glob of the same number of labels, paths by prefix. */
export function isMatch(key: string, repository: string): boolean {
  const [host = '', ...path] = normalized(key)
    .split('/')
    .filter((part) => part !== '');
  const [imageHost = '', ...imagePath] = repository.split('/');
  const labels = host.split('.');
  const imageLabels = imageHost.split('.');
  const isHost =
    labels.length === imageLabels.length &&
    labels.every((label, index) => globMatches(label, imageLabels[index] ?? ''));
  return isHost && path.every((part, index) => part === imagePath[index]);
}

function globMatches(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(text);
}

function normalized(key: string): string {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/(v1|v2)\/?$/, '');
  return bare.replace(/^(index|registry-1)\.docker\.io/, 'docker.io');
}

function authConfig(entry: DockerAuth): AuthConfig {
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return {
    username: entry.username ?? (colon < 0 ? '' : decoded.slice(0, colon)),
    password: entry.password ?? (colon < 0 ? '' : decoded.slice(colon + 1)),
    identityToken: entry.identitytoken,
    registryToken: entry.registrytoken,
  };
}
