import type { Client as GrpcClient, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { CriError, grpcCodes } from './cri-error.ts';
import { rpcs } from './generated/messages.ts';

export type ServiceName = keyof typeof rpcs;

export interface CriCall {
  service: ServiceName;
  rpc: string;
  request: object;
  /** Absent: as long as it takes. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Unary calls and server streams over one HTTP/2 connection that reconnects by itself. */
export interface CriTransport {
  call<T extends object>(call: CriCall): Promise<T>;
  stream<T extends object>(call: CriCall): AsyncIterable<T>;
  close(): void;
}

const maxMessageBytes = 16 * 1024 * 1024;
/** A runtime that restarts is back within seconds; grpc's own cap would be two minutes. */
const maxReconnectMs = 1_000;

function rpcInfo(service: ServiceName, rpc: string): { request: string; response: string } {
  const info = (rpcs[service] as Record<string, { request: string; response: string }>)[rpc];
  if (info === undefined) throw new TypeError(`no CRI call ${service}.${rpc}`);
  return info;
}

/** The gRPC library is loaded at the first call: most commands of k3ts never make one. */
export function createCriTransport(options: { socketPath: string; clock: Clock }): CriTransport {
  const { socketPath, clock } = options;
  let opening: Promise<GrpcClient> | undefined;
  let isClosed = false;

  const open = async (): Promise<GrpcClient> => {
    const { Client, credentials } = await import('@grpc/grpc-js');
    return new Client(`unix:${socketPath}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': maxReconnectMs,
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
    });
  };
  const client = (): Promise<GrpcClient> => (opening ??= open());

  const prepare = ({ service, rpc, request, timeoutMs }: CriCall) => {
    const info = rpcInfo(service, rpc);
    return {
      path: `/runtime.v1.${service}/${rpc}`,
      serialize: (value: object): Buffer => encodeMessage(info.request, value),
      deserialize: <T extends object>(bytes: Buffer): T => decodeMessage<T>(info.response, bytes),
      request,
      callOptions: timeoutMs === undefined ? {} : { deadline: clock.now() + timeoutMs },
    };
  };
  const failure = (rpc: string, error: ServiceError): CriError =>
    new CriError({ rpc, grpcCode: error.code, details: error.details, cause: error });

  return {
    async call<T extends object>(call: CriCall): Promise<T> {
      const grpc = await client();
      call.signal?.throwIfAborted();
      if (isClosed) throw closed(call.rpc);
      const { path, serialize, deserialize, request, callOptions } = prepare(call);
      return await new Promise<T>((resolve, reject) => {
        const pending = grpc.makeUnaryRequest<object, T>(
          path,
          serialize,
          deserialize<T>,
          request,
          callOptions,
          (error, response) => {
            call.signal?.removeEventListener('abort', cancel);
            if (error !== null) reject(failure(call.rpc, error));
            else resolve(response as T);
          },
        );
        const cancel = (): void => pending.cancel();
        call.signal?.addEventListener('abort', cancel, { once: true });
      });
    },

    async *stream<T extends object>(call: CriCall): AsyncIterable<T> {
      const grpc = await client();
      if (isClosed) throw closed(call.rpc);
      const { path, serialize, deserialize, request, callOptions } = prepare(call);
      const answers = grpc.makeServerStreamRequest<object, T>(
        path,
        serialize,
        deserialize<T>,
        request,
        callOptions,
      );
      const cancel = (): void => answers.cancel();
      call.signal?.addEventListener('abort', cancel, { once: true });
      if (call.signal?.aborted === true) cancel();
      try {
        for await (const answer of answers) yield answer as T;
      } catch (error) {
        if (call.signal?.aborted !== true) throw failure(call.rpc, error as ServiceError);
      } finally {
        call.signal?.removeEventListener('abort', cancel);
        cancel();
      }
    },

    close() {
      isClosed = true;
      void opening?.then((grpc) => grpc.close());
    },
  };
}

function closed(rpc: string): CriError {
  return new CriError({ rpc, grpcCode: grpcCodes.cancelled, details: 'the client is closed' });
}
