import { parse } from 'yaml';
import { K3tsError, messageOf } from '#base/errors.ts';

export interface RegistryAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Base64 of `user:password`. */
  readonly auth?: string | undefined;
  readonly identityToken?: string | undefined;
}

export interface RegistryTls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

/** registries.yaml, checked. Keys are host names with an optional port, or `*`. */
export interface Registries {
  readonly mirrors: ReadonlyMap<string, readonly string[]>;
  readonly auth: ReadonlyMap<string, RegistryAuth>;
  readonly tls: ReadonlyMap<string, RegistryTls>;
  /** What was understood but cannot be done; for the log. */
  readonly warnings: readonly string[];
}

export const noRegistries: Registries = {
  mirrors: new Map(),
  auth: new Map(),
  tls: new Map(),
  warnings: [],
};

type Mapping = Record<string, unknown>;

/** Parses k3s' registries.yaml; throws RegistriesInvalid naming the entry that is wrong. */
export function parseRegistries(text: string): Registries {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
  if (document === null || document === undefined) return noRegistries;
  const root = mapping(document, 'the file');
  const warnings: string[] = [];
  const mirrors = new Map<string, readonly string[]>();
  for (const [host, value] of entries(root['mirrors'], 'mirrors')) {
    const where = `mirrors.${host}`;
    mirrors.set(host, strings(value['endpoint'], `${where}.endpoint`));
    if (value['rewrite'] !== undefined) {
      warnings.push(
        `registries.yaml: ${where}.rewrite is ignored: ` +
          'containerd has no rewrites (k3s patches its own)',
      );
    }
  }
  const auth = new Map<string, RegistryAuth>();
  const tls = new Map<string, RegistryTls>();
  for (const [host, value] of entries(root['configs'], 'configs')) {
    const where = `configs.${host}`;
    const rawAuth = value['auth'];
    if (rawAuth !== undefined && rawAuth !== null) {
      const of = mapping(rawAuth, `${where}.auth`);
      auth.set(host, {
        username: optionalText(of['username'], `${where}.auth.username`),
        password: optionalText(of['password'], `${where}.auth.password`),
        auth: optionalText(of['auth'], `${where}.auth.auth`),
        identityToken: optionalText(
          of['identity_token'] ?? of['token'],
          `${where}.auth.identity_token`,
        ),
      });
    }
    const rawTls = value['tls'];
    if (rawTls !== undefined && rawTls !== null) {
      const of = mapping(rawTls, `${where}.tls`);
      tls.set(host, {
        caFile: optionalText(of['ca_file'], `${where}.tls.ca_file`),
        certFile: optionalText(of['cert_file'], `${where}.tls.cert_file`),
        keyFile: optionalText(of['key_file'], `${where}.tls.key_file`),
        insecureSkipVerify: of['insecure_skip_verify'] === true,
      });
    }
  }
  return { mirrors, auth, tls, warnings };
}

function invalid(text: string, cause?: unknown): K3tsError {
  return new K3tsError('RegistriesInvalid', `registries.yaml: ${text}`, { cause });
}

function mapping(value: unknown, where: string): Mapping {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${where} must be a mapping`);
  }
  return value as Mapping;
}

function entries(value: unknown, where: string): [string, Mapping][] {
  if (value === undefined || value === null) return [];
  return Object.entries(mapping(value, where)).map(([key, entry]) => [
    key,
    entry === null ? {} : mapping(entry, `${where}.${key}`),
  ]);
}

function strings(value: unknown, where: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw invalid(`${where} must be a list of strings`);
  }
  return value as string[];
}

function optionalText(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  // YAML reads an unquoted password of digits as a number.
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw invalid(`${where} must be a string`);
  return value;
}
