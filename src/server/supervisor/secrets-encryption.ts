import { messageOf } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/mod.ts';
import { resources } from '#client/mod.ts';
import type { Secret } from '#schema/types.ts';
import type { ServerPaths } from '../paths.ts';
import type { EncryptionStage, SecretsEncryption } from '../secrets-encryption.ts';
import {
  newEncryptionKey,
  readEncryption,
  readStage,
  writeEncryption,
} from '../secrets-encryption.ts';
import { statusError } from './router.ts';
import type { SupervisorRoute } from './router.ts';

const pageSize = 500;

export interface SecretsEncryptionOptions {
  readonly paths: ServerPaths;
  /** Takes over the key file; undefined when this server runs without one. */
  readonly reload: (() => Promise<void>) | undefined;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface ConfigRequest {
  readonly stage?: string;
  readonly enable?: boolean;
  readonly force?: boolean;
  readonly skip?: boolean;
}

/**
 * The routes behind `k3ts secrets-encrypt`: status of the keys, and their rotation in k3s' stages.
 * A change is in force when the answer comes; nothing has to be restarted. One at a time.
 */
export function secretsEncryptionRoutes(options: SecretsEncryptionOptions): SupervisorRoute[] {
  let last: Promise<unknown> = Promise.resolve();
  return [
    {
      path: '/v1-k3s/encrypt/status',
      methods: ['GET'],
      access: 'server',
      handle: async () => ({
        body: JSON.stringify(await statusOf(options.paths)),
        contentType: 'application/json',
      }),
    },
    {
      path: '/v1-k3s/encrypt/config',
      methods: ['PUT'],
      access: 'server',
      handle: async ({ body }) => {
        const request = parseRequest(body);
        const change = last.then(() => apply(options, request));
        last = change.catch(() => undefined);
        await change;
        return { body: '' };
      },
    },
  ];
}

async function statusOf(paths: ServerPaths): Promise<object> {
  const encryption = await readEncryption(paths);
  if (encryption === undefined) return { enable: null };
  const { stage, isMatching } = await readStage(paths);
  const [active, ...inactive] = encryption.keys.map(({ name }) => name);
  const type = encryption.provider === 'secretbox' ? 'XSalsa20-POLY1305' : 'AES-CBC';
  return {
    stage,
    enable: encryption.isOn,
    activekey: active ?? '',
    keytype: type,
    hashmatch: isMatching,
    hasherror: isMatching ? '' : 'hash does not match the key file',
    inactivekeys: inactive,
  };
}

function parseRequest(body: Buffer): ConfigRequest {
  try {
    return JSON.parse(body.toString()) as ConfigRequest;
  } catch (error) {
    throw statusError(400, 'BadRequest', messageOf(error));
  }
}

async function apply(options: SecretsEncryptionOptions, request: ConfigRequest): Promise<void> {
  const encryption = await readEncryption(options.paths);
  if (encryption === undefined || options.reload === undefined) {
    throw statusError(
      400,
      'BadRequest',
      'secrets-encryption is not configured: start the server with --secrets-encryption',
    );
  }
  const { stage } = await readStage(options.paths);
  if (request.enable !== undefined) {
    await put(options, { ...encryption, isOn: request.enable }, stage);
    return;
  }
  const isForced = request.force === true;
  const require = (...allowed: EncryptionStage[]): void => {
    if (!isForced && !allowed.includes(stage)) {
      throw statusError(400, 'BadRequest', `error, incorrect stage: ${stage} found`);
    }
  };
  switch (request.stage) {
    case 'prepare':
      require('start', 'reencrypt_finished');
      await put(options, withNewKey(options, encryption), 'prepare');
      return;
    case 'rotate':
      require('prepare');
      await put(options, rotated(encryption), 'rotate');
      return;
    case 'reencrypt_request':
      require('rotate');
      await reencrypt(options, encryption, request.skip === true);
      return;
    case 'rotate_keys': {
      require('start', 'reencrypt_finished');
      const next = rotated(withNewKey(options, encryption));
      await put(options, next, 'rotate');
      await reencrypt(options, next, request.skip === true);
      return;
    }
    default:
      throw statusError(400, 'BadRequest', `unknown stage ${JSON.stringify(request.stage)}`);
  }
}

/** The new key can be read by all before anything is written with it. */
function withNewKey(
  { random, clock }: SecretsEncryptionOptions,
  encryption: SecretsEncryption,
): SecretsEncryption {
  const key = newEncryptionKey(encryption.provider, random, clock.now());
  return { ...encryption, keys: [...encryption.keys, key] };
}

/** The newest key writes from now on. */
function rotated(encryption: SecretsEncryption): SecretsEncryption {
  const keys = [...encryption.keys];
  const newest = keys.pop();
  return { ...encryption, keys: newest === undefined ? keys : [newest, ...keys] };
}

async function put(
  { paths, reload }: SecretsEncryptionOptions,
  encryption: SecretsEncryption,
  stage: EncryptionStage,
): Promise<void> {
  await writeEncryption(paths, encryption, stage);
  await reload?.();
}

/** Writes every Secret anew, then drops the keys that nothing is sealed with any more. */
async function reencrypt(
  options: SecretsEncryptionOptions,
  encryption: SecretsEncryption,
  keepsOld: boolean,
): Promise<void> {
  const { client, log } = options;
  await put(options, encryption, 'reencrypt_active');
  let count = 0;
  let next: string | undefined;
  do {
    const page = await client.list<Secret>(resources.secrets, { limit: pageSize, continue: next });
    for (const secret of page.items) {
      await rewrite(client, secret);
      count++;
    }
    next = page.metadata.continue;
  } while (next !== undefined && next !== '');
  log.info('Secrets were encrypted anew', { count });
  const keys = keepsOld ? encryption.keys : encryption.keys.slice(0, 1);
  await put(options, { ...encryption, keys }, 'reencrypt_finished');
}

/** A write that changes nothing seals the value with the key in force. */
async function rewrite(client: Client, secret: Secret): Promise<void> {
  try {
    await client.update(resources.secrets, secret);
  } catch (error) {
    // written or deleted by somebody else meanwhile: nothing is left to do
    const code = (error as { httpCode?: number }).httpCode;
    if (code !== 409 && code !== 404) throw error;
  }
}
