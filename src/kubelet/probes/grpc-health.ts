import type { ServiceError } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { CriError } from '../cri/mod.ts';
import { ByteReader, ByteWriter } from '../cri/wire.ts';
import type { ProbeOutcome } from './prober.ts';

const statuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const unimplemented = 12;
const deadlineExceeded = 4;

function encodeRequest(service: string): Buffer {
  const writer = new ByteWriter();
  if (service !== '') {
    writer.tag(1, 2);
    writer.string(service);
  }
  return writer.finish();
}

/** Field 1 of HealthCheckResponse. */
function decodeStatus(bytes: Buffer): string {
  const reader = new ByteReader(bytes);
  let status = 0;
  while (reader.offset < bytes.length) {
    const tag = reader.varint();
    if (tag === 8) status = reader.varint();
    else reader.skip(tag % 8);
  }
  return statuses[status] ?? String(status);
}

/** Asks grpc.health.v1.Health/Check; the outcomes have upstream's texts. */
export async function checkGrpcHealth(options: {
  host: string;
  port: number;
  service: string;
  timeoutSeconds: number;
  clock: Clock;
  signal: AbortSignal;
}): Promise<ProbeOutcome> {
  const { host, port, service, timeoutSeconds, clock, signal } = options;
  const { Client, Metadata, credentials } = await import('@grpc/grpc-js');
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.36',
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  const metadata = new Metadata();
  const deadline = clock.now() + timeoutSeconds * 1000;
  try {
    return await new Promise<ProbeOutcome>((resolve) => {
      const call = client.makeUnaryRequest<string, string>(
        '/grpc.health.v1.Health/Check',
        encodeRequest,
        decodeStatus,
        service,
        metadata,
        { deadline },
        (error, status) => {
          signal.removeEventListener('abort', cancel);
          resolve(error === null ? outcomeOf(status ?? '') : failureOf(error, address, options));
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel, { once: true });
    });
  } finally {
    client.close();
  }
}

function outcomeOf(status: string): ProbeOutcome {
  if (status === 'SERVING') return { result: 'Success', output: 'service healthy' };
  return { result: 'Failure', output: `service unhealthy (responded with "${status}")` };
}

/** The reason in Go's words where it is a plain one. */
function dialText(details: string, address: string): string {
  const code = /\b(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)\b/.exec(details)?.[1];
  if (code === undefined) return details;
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    EHOSTUNREACH: 'no route to host',
    ENETUNREACH: 'network is unreachable',
  };
  return `connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: ${reasons[code]}"`;
}

function failureOf(
  error: ServiceError,
  address: string,
  { timeoutSeconds }: { timeoutSeconds: number },
): ProbeOutcome {
  if (error.code === unimplemented) {
    return {
      result: 'Failure',
      output: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`,
    };
  }
  if (error.code === deadlineExceeded || error.code === 1) {
    return {
      result: 'Failure',
      output: `timeout: health rpc did not complete within ${timeoutSeconds}s`,
    };
  }
  if (error.code === 14) {
    return {
      result: 'Failure',
      output: `timeout: failed to connect service "${address}" within ${timeoutSeconds}s: ${dialText(error.details, address)}`,
    };
  }
  const { message } = new CriError({ rpc: 'Check', grpcCode: error.code, details: error.details });
  return { result: 'Failure', output: `error: health rpc probe failed: ${message}` };
}
