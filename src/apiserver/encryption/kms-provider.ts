import type { Clock, Timer } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import {
  keyIdentity,
  openData,
  readObject,
  sealWithSeed,
  seedBytes,
  writeObject,
} from './kms-object.ts';
import type { EncryptedObject } from './kms-object.ts';
import type { KmsService, SealedKey } from './kms-service.ts';
import type { Transformer } from './transformer.ts';

/** How often the plugin is asked for its key, and soon again when it does not answer. */
const pollMs = 60_000;
const retryMs = 1000;
/** How long values may be written when the plugin does not answer any more, as upstream. */
const writeLifeMs = 3 * 60_000;
const maxKnownKeys = 1000;

interface WriteKey {
  readonly seed: Buffer;
  readonly sealed: SealedKey;
  untilMs: number;
}

export interface KmsProviderOptions {
  readonly name: string;
  readonly service: KmsService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Values under a seed that a plugin seals (KMS version 2): one call at the start and whenever the
 * plugin changes its key, none for a write. Keys of stored values are unsealed once.
 */
export class KmsProvider implements Transformer {
  readonly name: string;
  readonly prefix: string;
  readonly #options: KmsProviderOptions;
  readonly #start: Buffer;
  readonly #known = new Map<string, Buffer>();
  readonly #failures = new Map<string, string>();
  readonly #asked = new Map<string, Promise<void>>();
  #write: WriteKey | undefined;
  #problem = 'the plugin has not been asked yet';
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: KmsProviderOptions) {
    this.#options = options;
    this.name = options.name;
    this.prefix = `k8s:enc:kms:v2:${options.name}:`;
    this.#start = Buffer.from(this.prefix);
  }

  /** Gets a key to write with and goes on asking for a newer one. Rejects when there is none. */
  async start(): Promise<void> {
    await this.#refresh();
    if (this.#write === undefined) {
      this.close();
      throw new Error(`kms-provider ${this.name}: ${this.#problem}`);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#options.service.close();
  }

  /** Throws with what is wrong: the health check of the provider. */
  check(): void {
    if (this.#problem !== '') throw new Error(this.#problem);
  }

  checkWritable(): void {
    const { clock } = this.#options;
    if (this.#write !== undefined && clock.now() < this.#write.untilMs) return;
    throw new Error(`the key of the kms provider ${this.name} has expired: ${this.#problem}`);
  }

  get form(): string {
    return `${this.prefix}${this.#write?.sealed.keyId ?? ''}`;
  }

  formOf(stored: Buffer): string {
    return `${this.prefix}${readObject(stored.subarray(this.#start.length)).key.keyId}`;
  }

  seal(value: Buffer, key: string): Buffer {
    const { random } = this.#options;
    if (this.#write === undefined) throw new Error(this.#problem);
    const { seed, sealed } = this.#write;
    const data = sealWithSeed(seed, value, key, random);
    return Buffer.concat([this.#start, writeObject({ data, key: sealed, isSeed: true })]);
  }

  prepare(stored: Buffer): Promise<void> | undefined {
    const object = readObject(stored.subarray(this.#start.length));
    const identity = keyIdentity(object);
    if (this.#known.has(identity)) return undefined;
    let asked = this.#asked.get(identity);
    if (asked === undefined) {
      asked = this.#unseal(identity, object).finally(() => this.#asked.delete(identity));
      this.#asked.set(identity, asked);
    }
    return asked;
  }

  open(stored: Buffer, key: string): Buffer {
    const object = readObject(stored.subarray(this.#start.length));
    const identity = keyIdentity(object);
    const secret = this.#known.get(identity);
    if (secret !== undefined) return openData(object, secret, key, this.#options.random);
    const why = this.#failures.get(identity) ?? 'its key has not been asked for';
    throw new Error(`failed to decrypt DEK, error: ${why}`);
  }

  async #unseal(identity: string, { key }: EncryptedObject): Promise<void> {
    const { service, random } = this.#options;
    try {
      this.#remember(identity, await service.decrypt(key, random.uuid()));
      this.#failures.delete(identity);
    } catch (error) {
      this.#failures.set(identity, messageOf(error));
      if (this.#failures.size > maxKnownKeys) this.#failures.clear();
    }
  }

  #remember(identity: string, secret: Buffer): void {
    this.#known.set(identity, secret);
    if (this.#known.size <= maxKnownKeys) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  async #refresh(): Promise<void> {
    const { clock, log, name } = this.#options;
    try {
      await this.#askStatus();
      this.#problem = '';
    } catch (error) {
      this.#problem = messageOf(error);
      log.warning('KMS plugin has a problem', { name, error: this.#problem });
    }
    if (this.#isClosed) return;
    const waitMs = this.#problem === '' ? pollMs : retryMs;
    this.#timer = clock.after(waitMs, () => void this.#refresh());
  }

  async #askStatus(): Promise<void> {
    const { service, random, clock } = this.#options;
    const { version, healthz, keyId } = await service.status();
    if (version !== 'v2' && version !== 'v2beta1') {
      throw new Error(`expected KMSv2 API version v2, got ${version}`);
    }
    if (healthz !== 'ok') throw new Error(`got unexpected healthz status: ${healthz}`);
    if (keyId === '') throw new Error('expected KMSv2 KeyID to be set, got empty');
    const untilMs = clock.now() + writeLifeMs;
    if (this.#write?.sealed.keyId === keyId) {
      this.#write.untilMs = untilMs;
      return;
    }
    const seed = random.bytes(seedBytes);
    const sealed = await service.encrypt(seed, random.uuid());
    if (sealed.keyId === '' || sealed.ciphertext.length === 0) {
      throw new Error('the plugin answered with an empty key');
    }
    this.#write = { seed, sealed, untilMs };
    this.#remember(keyIdentity({ key: sealed, isSeed: true }), seed);
  }
}
