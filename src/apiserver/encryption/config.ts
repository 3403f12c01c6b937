import { messageOf } from '#base/errors.ts';
import type { Random } from '#base/random.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import { bad } from './bad-config.ts';
import type { CipherKey } from './ciphers.ts';
import { createAesCbc, createAesGcm, createSecretbox } from './ciphers.ts';
import type { Transformer } from './transformer.ts';
import { identityTransformer, joinTransformers } from './transformer.ts';
import type { KmsProvider } from './kms-provider.ts';
import { readKmsProvider } from './kms-config.ts';
import type { EncryptionTools } from './kms-config.ts';

/** Which transformer a kind has; undefined: its values are stored as they are. */
export interface EncryptionRules {
  /** To be started before the rules are used, and closed afterwards. */
  readonly providers: readonly KmsProvider[];
  transformerOf(group: string, resource: string): Transformer | undefined;
}

interface Entry {
  readonly resources: readonly string[];
  readonly transformer: Transformer;
}

const aesLengths = [16, 24, 32];
const ciphers = {
  aescbc: { create: createAesCbc, lengths: aesLengths, shown: 'AES' },
  aesgcm: { create: createAesGcm, lengths: aesLengths, shown: 'AES' },
  secretbox: { create: createSecretbox, lengths: [32], shown: 'Secretbox' },
} as const;

type CipherName = keyof typeof ciphers;

/**
 * Reads an EncryptionConfiguration of apiserver.config.k8s.io/v1. Throws K3tsError
 * `BadEncryptionConfig` that names what is wrong, and never the secrets.
 */
export function parseEncryptionConfig(text: string, tools: EncryptionTools): EncryptionRules {
  let document: unknown;
  try {
    document = yamlLibrary().parse(text);
  } catch (error) {
    throw bad(`error decoding encryption provider configuration: ${messageOf(error)}`);
  }
  const config = fields(document);
  if (
    config['kind'] !== 'EncryptionConfiguration' ||
    config['apiVersion'] !== 'apiserver.config.k8s.io/v1'
  ) {
    const kind = JSON.stringify(String(config['kind'] ?? ''));
    const version = JSON.stringify(String(config['apiVersion'] ?? ''));
    throw bad(
      `error decoding encryption provider configuration: no kind ${kind} is registered for version ${version}`,
    );
  }
  const resources = list(config['resources']);
  if (resources.length === 0) {
    throw bad('resources: Required value: at least one resource must be set');
  }
  const providers: KmsProvider[] = [];
  const entries = resources.map((entry, i) =>
    readEntry(fields(entry), `resources[${i}]`, tools, providers),
  );
  const known = new Map<string, Transformer | undefined>();
  return {
    providers,
    transformerOf(group, resource) {
      const name = group === '' ? resource : `${resource}.${group}`;
      if (!known.has(name)) {
        const found = entries.find(({ resources: names }) => covers(names, group, name));
        known.set(name, found?.transformer);
      }
      return known.get(name);
    },
  };
}

function covers(names: readonly string[], group: string, name: string): boolean {
  return names.includes(name) || names.includes(`*.${group}`) || names.includes('*.*');
}

function readEntry(
  entry: Record<string, unknown>,
  path: string,
  tools: EncryptionTools,
  found: KmsProvider[],
): Entry {
  const resources = list(entry['resources']).map(String);
  if (resources.length === 0) {
    throw bad(`${path}.resources: Required value: at least one resource must be set`);
  }
  checkResources(resources, path);
  const providers = list(entry['providers']);
  if (providers.length === 0) {
    throw bad(`${path}.providers: Required value: at least one provider must be set`);
  }
  const starts = new Map<string, string>();
  const transformers = providers.flatMap((provider, i): Transformer[] => {
    const at = `${path}.providers[${i}]`;
    const kms = fields(provider)['kms'];
    if (kms === undefined || Object.keys(fields(provider)).length > 1) {
      return readProvider(fields(provider), at, { random: tools.random, starts });
    }
    const made = readKmsProvider(fields(kms), `${at}.kms`, tools);
    if (found.some(({ name }) => name === made.name)) {
      throw bad(
        `${at}.kms.name: Invalid value: ${JSON.stringify(made.name)}: duplicate KMS provider name ${made.name}, names must be unique`,
      );
    }
    found.push(made);
    starts.set('k8s:enc:kms:v2:', 'KMS');
    return [made];
  });
  return { resources, transformer: joinTransformers(transformers, starts) };
}

function checkResources(resources: readonly string[], path: string): void {
  resources.forEach((name, i) => {
    const at = `${path}.resources[${i}]: Invalid value: ${JSON.stringify(name)}`;
    if (resources.indexOf(name) !== i) {
      throw bad(`${at}: duplicate resource in the same resource list`);
    }
    if (name === '*') {
      throw bad(
        `${at}: use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources`,
      );
    }
    const dot = name.indexOf('.');
    const wildcard = dot < 0 ? '*.' : `*.${name.slice(dot + 1)}`;
    const isMasked =
      (name !== '*.*' && resources.includes('*.*')) ||
      (!name.startsWith('*.') && resources.includes(wildcard));
    if (isMasked) {
      throw bad(
        `${at}: using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked`,
      );
    }
  });
}

function readProvider(
  provider: Record<string, unknown>,
  path: string,
  { random, starts }: { random: Random; starts: Map<string, string> },
): Transformer[] {
  const names = Object.keys(provider).filter((name) => provider[name] !== undefined);
  if (names.length !== 1) {
    throw bad(
      names.length === 0
        ? `${path}: Required value: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity`
        : `${path}: Invalid value: more than one provider specified in a single element, should split into different list elements`,
    );
  }
  const [name = ''] = names;
  if (name === 'identity') return [identityTransformer];
  if (!Object.hasOwn(ciphers, name)) throw bad(`${path}: unknown provider ${JSON.stringify(name)}`);
  const { create, lengths, shown } = ciphers[name as CipherName];
  starts.set(`k8s:enc:${name}:v1:`, shown);
  const keys = list(fields(provider[name])['keys']);
  if (keys.length === 0) {
    throw bad(`${path}.${name}.keys: Required value: at least one key must be set`);
  }
  return keys.map((key, i) =>
    create(readKey(fields(key), `${path}.${name}.keys[${i}]`, lengths), random),
  );
}

function readKey(
  key: Record<string, unknown>,
  path: string,
  lengths: readonly number[],
): CipherKey {
  const { name, secret } = key;
  if (typeof name !== 'string' || name === '') {
    throw bad(`${path}.name: Required value: key name must be set`);
  }
  if (name.includes(':')) throw bad(`${path}.name: Invalid value: must not contain a colon`);
  if (typeof secret !== 'string' || secret === '') {
    throw bad(`${path}.secret: Required value: secret must be set`);
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret.trim())) {
    throw bad(`${path}.secret: Invalid value: "REDACTED": secrets must be base64 encoded`);
  }
  const bytes = Buffer.from(secret, 'base64');
  if (!lengths.includes(bytes.length)) {
    throw bad(
      `${path}.secret: Invalid value: "REDACTED": secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(' ')}]`,
    );
  }
  return { name, secret: bytes };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
