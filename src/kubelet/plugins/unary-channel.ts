import type { Client as GrpcClient, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { CriError } from '../cri/cri-error.ts';
import { createMessageCodec } from '../cri/message-codec.ts';
import type { MessageTables } from '../cri/message-codec.ts';

export interface UnaryCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Names of messages in the channel's tables. */
  readonly types: readonly [request: string, response: string];
  readonly request: object;
  readonly signal?: AbortSignal | undefined;
}

/** Unary gRPC calls to a plugin's socket; failures are CriErrors, in the form of Go's. */
export interface UnaryChannel {
  call<T extends object>(call: UnaryCall): Promise<T>;
  close(): void;
}

/** Opens the connection at the first call. Each call ends after `timeoutMs` at the latest. */
export function createUnaryChannel(options: {
  socketPath: string;
  tables: MessageTables;
  timeoutMs: number;
  clock: Clock;
  /** Sent with each call. */
  headers?: Readonly<Record<string, string>> | undefined;
}): UnaryChannel {
  const { socketPath, timeoutMs, clock, headers = {} } = options;
  const codec = createMessageCodec(options.tables);
  let opening: Promise<GrpcClient> | undefined;

  const open = async (): Promise<GrpcClient> => {
    const { Client, credentials } = await import('@grpc/grpc-js');
    return new Client(`unix:${socketPath}`, credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.default_authority': 'localhost',
    });
  };

  return {
    async call<T extends object>({ path, types, request, signal }: UnaryCall): Promise<T> {
      const grpc = await (opening ??= open());
      const { Metadata } = await import('@grpc/grpc-js');
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      signal?.throwIfAborted();
      const [requestType, responseType] = types;
      return await new Promise<T>((resolve, reject) => {
        const onAnswer = (error: ServiceError | null, answer?: T): void => {
          signal?.removeEventListener('abort', cancel);
          if (error === null) resolve(answer as T);
          else {
            const { code: grpcCode, details } = error;
            reject(new CriError({ rpc: path, grpcCode, details, cause: error }));
          }
        };
        const pending = grpc.makeUnaryRequest<object, T>(
          path,
          (value) => codec.encode(requestType, value),
          (bytes) => codec.decode<T>(responseType, bytes),
          request,
          metadata,
          { deadline: clock.now() + timeoutMs },
          onAnswer,
        );
        const cancel = (): void => pending.cancel();
        signal?.addEventListener('abort', cancel, { once: true });
      });
    },
    close() {
      void opening?.then((grpc) => grpc.close());
    },
  };
}
