import { readFile, stat } from 'node:fs/promises';

import { EncryptedBackend, parseEncryptionConfig } from '#apiserver/encryption/mod.ts';
import type { EncryptionRules, EncryptionTools } from '#apiserver/encryption/mod.ts';
import type { HealthCheck } from '#apiserver/mod.ts';
import type { Clock, Timer } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Backend } from '#store/mod.ts';
import type { ApiServerArgs } from './api-server-args/mod.ts';
import type { ServerPaths } from './paths.ts';
import { ensureSecretsEncryption } from './secrets-encryption.ts';
import type { ServerSettings } from './settings.ts';

const lookEveryMs = 2000;

/** A datastore whose kinds are sealed as a file says. */
export interface EncryptionAtRest {
  readonly backend: EncryptedBackend;
  /** The file is k3s' key file, not one that the user wrote. */
  readonly isOwnFile: boolean;
  /** How the plugins do that hold keys; none without plugins. */
  readonly healthChecks: readonly HealthCheck[];
  /** Takes over the file now; rejects when it is not usable, and keeps what was before. */
  reload(): Promise<void>;
  /** Reloads when the file changes, until the signal is aborted. */
  follow(signal: AbortSignal): void;
}

/**
 * The encryption that arguments or k3s' flag ask for; undefined for none. Making the key file and
 * following it are part of it.
 */
export async function openServerEncryption(options: {
  settings: ServerSettings;
  args: ApiServerArgs;
  paths: ServerPaths;
  backend: Backend;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}): Promise<EncryptionAtRest | undefined> {
  const { settings, args, signal } = options;
  const given = args.text('encryption-provider-config');
  const provider = settings.secretsEncryption;
  const file = given === '' ? await ensureSecretsEncryption({ ...options, provider }) : given;
  if (file === undefined) return undefined;
  const opened = await openEncryption({ ...options, file });
  const follows = given === '' || args.boolean('encryption-provider-config-automatic-reload');
  if (follows) opened.follow(signal);
  signal.addEventListener('abort', () => opened.close(), { once: true });
  return { ...opened, isOwnFile: given === '' };
}

/** Throws `Usage` that names the file when it cannot be used. */
export async function openEncryption(options: {
  file: string;
  backend: Backend;
  clock: Clock;
  random: Random;
  log: Logger;
}): Promise<Omit<EncryptionAtRest, 'isOwnFile'> & { close(): void }> {
  const { file, clock, log } = options;
  let rules = await readRules(file, options);
  const backend = new EncryptedBackend({ backend: options.backend, rules });
  let changedMs = await changeTime(file);
  const reload = async (): Promise<void> => {
    changedMs = await changeTime(file);
    const former = rules;
    rules = await readRules(file, options);
    backend.setRules(rules);
    closeProviders(former);
  };
  const check = (): void => {
    for (const provider of rules.providers) provider.check();
  };
  return {
    backend,
    reload,
    healthChecks: rules.providers.length === 0 ? [] : [{ name: 'kms-providers', check }],
    close: () => closeProviders(rules),
    follow(signal) {
      let timer: Timer;
      const look = async (): Promise<void> => {
        try {
          if ((await changeTime(file)) !== changedMs) {
            await reload();
            log.info('Encryption configuration was reloaded', { file });
          }
        } catch (error) {
          log.error('Encryption configuration cannot be used, the former one stays', {
            file,
            error: messageOf(error),
          });
        }
        if (!signal.aborted) timer = clock.after(lookEveryMs, () => void look());
      };
      timer = clock.after(lookEveryMs, () => void look());
      signal.addEventListener('abort', () => timer.cancel(), { once: true });
    },
  };
}

function closeProviders({ providers }: EncryptionRules): void {
  for (const provider of providers) provider.close();
}

/** The rules of the file, with plugins that have been asked for their keys. */
async function readRules(file: string, tools: EncryptionTools): Promise<EncryptionRules> {
  let rules: EncryptionRules | undefined;
  try {
    rules = parseEncryptionConfig(await readFile(file, 'utf8'), tools);
    await Promise.all(rules.providers.map((provider) => provider.start()));
    return rules;
  } catch (error) {
    if (rules !== undefined) closeProviders(rules);
    throw new K3tsError('Usage', `error while parsing file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function changeTime(file: string): Promise<number> {
  return (await stat(file)).mtimeMs;
}
