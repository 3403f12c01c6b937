import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { bytesField, bytesOf, readFields } from '../../src/apiserver/encryption/kms-wire.ts';

/** A plugin of KMS version 2 on a Unix socket: AES-GCM under a key in memory. */
export interface KmsPlugin {
  readonly endpoint: string;
  close(): void;
}

type Handler = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void;

export async function startKmsPlugin(socket: string): Promise<KmsPlugin> {
  const key = randomBytes(32);
  const answers: Record<string, (request: Buffer) => Buffer> = {
    Status: () => Buffer.concat([bytesField(1, 'v2'), bytesField(2, 'ok'), bytesField(3, 'key-1')]),
    Encrypt(request) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = Buffer.concat([cipher.update(bytesOf(readFields(request), 1)), cipher.final()]);
      const sealed = Buffer.concat([nonce, body, cipher.getAuthTag()]);
      return Buffer.concat([bytesField(1, sealed), bytesField(2, 'key-1')]);
    },
    Decrypt(request) {
      const sealed = bytesOf(readFields(request), 1);
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
      decipher.setAuthTag(sealed.subarray(-16));
      const body = [decipher.update(sealed.subarray(12, -16)), decipher.final()];
      return bytesField(1, Buffer.concat(body));
    },
  };
  const same = (bytes: Buffer): Buffer => bytes;
  const server = new Server();
  for (const [method, answer] of Object.entries(answers)) {
    const handle: Handler = ({ request }, done) => done(null, answer(request));
    server.register(`/v2.KeyManagementService/${method}`, handle, same, same, 'unary');
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return { endpoint: `unix://${socket}`, close: () => server.forceShutdown() };
}
