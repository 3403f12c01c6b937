import type { Clock } from '#base/clock.ts';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';

/** What a runtime says about itself. */
export interface RuntimeVersion {
  readonly runtimeName: string;
  readonly runtimeVersion: string;
}

/**
 * One CRI Version call on a socket; throws when nobody answers within `timeoutMs`. It speaks the
 * two messages by hand, so that starting the runtime needs no CRI client.
 */
export async function probeRuntime(options: {
  socket: string;
  timeoutMs: number;
  clock: Clock;
}): Promise<RuntimeVersion> {
  const { socket, timeoutMs, clock } = options;
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    // A refused connection must not make the next probe wait.
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 20,
    'grpc.use_local_subchannel_pool': 1,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  client.makeUnaryRequest(
    '/runtime.v1.RuntimeService/Version',
    (message: Buffer) => message,
    (bytes: Buffer) => bytes,
    Buffer.alloc(0),
    { deadline: new Date(clock.now() + timeoutMs) },
    (error: ServiceError | null, answer?: Buffer) => {
      if (error !== null) reject(error);
      else resolve(answer ?? Buffer.alloc(0));
    },
  );
  try {
    const fields = stringFields(await promise);
    return { runtimeName: fields.get(2) ?? '', runtimeVersion: fields.get(3) ?? '' };
  } finally {
    client.close();
  }
}

/** The length-delimited fields of a message whose fields are all short strings. */
export function stringFields(message: Buffer): Map<number, string> {
  const fields = new Map<number, string>();
  let offset = 0;
  while (offset + 1 < message.length) {
    const tag = message[offset] ?? 0;
    const length = message[offset + 1] ?? 0;
    if ((tag & 7) !== 2 || length > 127) break;
    fields.set(tag >> 3, message.toString('utf8', offset + 2, offset + 2 + length));
    offset += 2 + length;
  }
  return fields;
}
