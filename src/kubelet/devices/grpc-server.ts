import { chmod, rm } from 'node:fs/promises';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { messageOf } from '#base/errors.ts';
import { createMessageCodec } from '../cri/message-codec.ts';
import type { MessageTables } from '../cri/message-codec.ts';

/** A unary method: names of its messages, and who answers. */
export interface GrpcMethod {
  readonly types: readonly [request: string, response: string];
  answer(request: object): object | Promise<object>;
}

const unknown = 2;

/** Serves gRPC on a socket, replacing what is there; `close` removes it. */
export async function serveOnSocket(options: {
  socketPath: string;
  tables: MessageTables;
  /** By full path: `/package.Service/Method`. */
  methods: Readonly<Record<string, GrpcMethod>>;
}): Promise<{ close(): Promise<void> }> {
  const { Server, ServerCredentials } = await import('@grpc/grpc-js');
  const { socketPath, methods } = options;
  const codec = createMessageCodec(options.tables);
  const server = new Server();
  for (const [path, { types, answer }] of Object.entries(methods)) {
    const [requestType, responseType] = types;
    const [, service = '', method = ''] = path.split('/');
    const handle: handleUnaryCall<object, object> = (call, callback) => {
      Promise.resolve()
        .then(() => answer(call.request))
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback({ code: unknown, details: messageOf(error) }),
        );
    };
    server.register(
      `/${service}/${method}`,
      handle,
      (value: object) => codec.encode(responseType, value),
      (bytes) => codec.decode<object>(requestType, bytes),
      'unary',
    );
  }
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  await chmod(socketPath, 0o600);
  return {
    async close() {
      server.forceShutdown();
      await rm(socketPath, { force: true });
    },
  };
}
