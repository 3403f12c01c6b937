import type { Client } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { bytesField, bytesOf, mapField, mapOf, readFields, textOf } from './kms-wire.ts';

export interface KmsStatus {
  /** `v2`. */
  readonly version: string;
  /** `ok`, or what is wrong. */
  readonly healthz: string;
  readonly keyId: string;
}

/** A key as the plugin sealed it. */
export interface SealedKey {
  readonly ciphertext: Buffer;
  readonly keyId: string;
  readonly annotations: ReadonlyMap<string, Buffer>;
}

/** A plugin that holds keys outside: KeyManagementService of k8s.io/kms, version 2. */
export interface KmsService {
  status(): Promise<KmsStatus>;
  encrypt(plaintext: Buffer, uid: string): Promise<SealedKey>;
  decrypt(sealed: SealedKey, uid: string): Promise<Buffer>;
  close(): void;
}

/** Calls a plugin over its Unix socket; connects at the first call. */
export function createKmsService(options: {
  /** `unix:///run/kms.sock`, or `unix:///@name` for an abstract socket. */
  endpoint: string;
  timeoutMs: number;
  clock: Clock;
}): KmsService {
  const { timeoutMs, clock } = options;
  const path = options.endpoint.replace(/^unix:(\/\/)?/, '');
  const address = path.startsWith('/@') ? `unix-abstract:${path.slice(2)}` : `unix:${path}`;
  let client: Promise<Client> | undefined;
  const connect = async (): Promise<Client> => {
    const { Client: GrpcClient, credentials } = await import('@grpc/grpc-js');
    return new GrpcClient(address, credentials.createInsecure());
  };
  const call = async (method: string, request: Buffer): Promise<Buffer> => {
    client ??= connect();
    const connected = await client;
    const same = (bytes: Buffer): Buffer => bytes;
    const limits = { deadline: clock.now() + timeoutMs };
    return await new Promise((resolve, reject) => {
      connected.makeUnaryRequest(
        `/v2.KeyManagementService/${method}`,
        same,
        same,
        request,
        limits,
        (error, answer) => {
          if (error !== null) reject(new Error(error.details, { cause: error }));
          else resolve(answer ?? Buffer.alloc(0));
        },
      );
    });
  };
  return {
    async status() {
      const fields = readFields(await call('Status', Buffer.alloc(0)));
      return { version: textOf(fields, 1), healthz: textOf(fields, 2), keyId: textOf(fields, 3) };
    },
    async encrypt(plaintext, uid) {
      const request = Buffer.concat([bytesField(1, plaintext), bytesField(2, uid)]);
      const fields = readFields(await call('Encrypt', request));
      return {
        ciphertext: bytesOf(fields, 1),
        keyId: textOf(fields, 2),
        annotations: mapOf(fields, 3),
      };
    },
    async decrypt({ ciphertext, keyId, annotations }, uid) {
      const request = Buffer.concat([
        bytesField(1, ciphertext),
        bytesField(2, uid),
        bytesField(3, keyId),
        mapField(4, annotations),
      ]);
      return bytesOf(readFields(await call('Decrypt', request)), 1);
    },
    close() {
      void client?.then((connected) => connected.close());
    },
  };
}
