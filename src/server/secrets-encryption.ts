import { createHash } from 'node:crypto';
import { join } from 'node:path';

import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';
import type { ServerPaths } from './paths.ts';

export type EncryptionProvider = 'aescbc' | 'secretbox';

/** Where a rotation of keys stands, in k3s' words. */
export type EncryptionStage =
  | 'start'
  | 'prepare'
  | 'rotate'
  | 'reencrypt_request'
  | 'reencrypt_active'
  | 'reencrypt_finished';

export interface EncryptionKey {
  readonly name: string;
  readonly secret: string;
}

/** What k3s' key file says; the first key writes when encryption is on. */
export interface SecretsEncryption {
  readonly provider: EncryptionProvider;
  readonly keys: readonly EncryptionKey[];
  readonly isOn: boolean;
}

const keyBytes = 32;

export function encryptionFiles(paths: ServerPaths): { config: string; state: string } {
  return {
    config: join(paths.credentials, 'encryption-config.json'),
    state: join(paths.credentials, 'encryption-state.json'),
  };
}

/** A new key under k3s' name; later keys carry the time. */
export function newEncryptionKey(
  provider: EncryptionProvider,
  random: Random,
  nowMs?: number,
): EncryptionKey {
  const name = nowMs === undefined ? `${provider}key` : `${provider}key-${keyTime(nowMs)}`;
  return { name, secret: random.bytes(keyBytes).toString('base64') };
}

/** Colons would end the name in stored values. */
function keyTime(nowMs: number): string {
  return formatTime(nowMs).replaceAll(':', '-');
}

export function renderEncryption({ provider, keys, isOn }: SecretsEncryption): string {
  const identity = { identity: {} };
  const sealing = { [provider]: { keys } };
  return JSON.stringify({
    kind: 'EncryptionConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    resources: [
      { resources: ['secrets'], providers: isOn ? [sealing, identity] : [identity, sealing] },
    ],
  });
}

/** Reads the key file, also one that k3s wrote; undefined when there is none. */
export async function readEncryption(paths: ServerPaths): Promise<SecretsEncryption | undefined> {
  const text = await readFileIfExists(encryptionFiles(paths).config);
  if (text === undefined) return undefined;
  const { resources } = JSON.parse(text) as {
    resources: { providers: Record<string, { keys?: EncryptionKey[] }>[] }[];
  };
  const providers = resources[0]?.providers ?? [];
  const sealing = providers.find((entry) => entry['aescbc'] ?? entry['secretbox']);
  const provider: EncryptionProvider =
    sealing !== undefined && 'secretbox' in sealing ? 'secretbox' : 'aescbc';
  return {
    provider,
    keys: sealing?.[provider]?.keys ?? [],
    isOn: providers[0] !== undefined && !('identity' in providers[0]),
  };
}

export async function writeEncryption(
  paths: ServerPaths,
  encryption: SecretsEncryption,
  stage: EncryptionStage,
): Promise<void> {
  const files = encryptionFiles(paths);
  const text = renderEncryption(encryption);
  await writeFileAtomic(files.config, text);
  await writeFileAtomic(files.state, `${stage}-${hashOf(text)}`);
}

/** The stage on disk, and whether its hash is that of the key file. */
export async function readStage(
  paths: ServerPaths,
): Promise<{ stage: EncryptionStage; isMatching: boolean }> {
  const files = encryptionFiles(paths);
  const [state, config] = await Promise.all([
    readFileIfExists(files.state),
    readFileIfExists(files.config),
  ]);
  const dash = state?.lastIndexOf('-') ?? -1;
  if (state === undefined || dash < 0) return { stage: 'start', isMatching: false };
  return {
    stage: state.slice(0, dash) as EncryptionStage,
    isMatching: config !== undefined && state.slice(dash + 1).trim() === hashOf(config),
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The path of the key file when secrets are encrypted, or were and can still be read; makes the
 * first key when the flag asks for encryption. A later start without the flag keeps the file.
 */
export async function ensureSecretsEncryption(options: {
  paths: ServerPaths;
  provider: EncryptionProvider | undefined;
  clock: Clock;
  random: Random;
}): Promise<string | undefined> {
  const { paths, provider, random } = options;
  const known = await readEncryption(paths);
  if (known === undefined) {
    if (provider === undefined) return undefined;
    const keys = [newEncryptionKey(provider, random)];
    await writeEncryption(paths, { provider, keys, isOn: true }, 'start');
  }
  return encryptionFiles(paths).config;
}
