import type { OperationOptions, TlsOptions } from '#apiserver/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { createApiAudit } from './api-audit.ts';
import type { ApiServerArgs } from './api-server-args/mod.ts';
import { apiServerArgTable, cipherSuiteNames, tlsVersionNames } from './api-server-args/mod.ts';

/** How kube-apiserver's arguments want the server to be run. */
export interface ApiOperation {
  readonly operation: OperationOptions;
  readonly inFlight: { readonly readOnly: number; readonly mutating: number };
  readonly tls: Pick<TlsOptions, 'minVersion' | 'ciphers' | 'isHttp2Off' | 'maxStreams'>;
  readonly shutdownDelayMs: number;
}

/** Reads limits, time limits, audit and serving; throws `Usage` for files that cannot be used. */
export async function readApiOperation(options: {
  args: ApiServerArgs;
  clock: Clock;
  log: Logger;
}): Promise<ApiOperation> {
  const { args, log } = options;
  if (args.ignored.length > 0) {
    log.warning('Arguments of kube-apiserver without effect', { names: args.ignored.join(', ') });
  }
  return {
    operation: {
      priorityAndFairness: args.boolean('enable-priority-and-fairness'),
      requestTimeoutMs: args.durationMs('request-timeout'),
      minRequestTimeoutMs: args.integer('min-request-timeout') * 1000,
      eventTtlSeconds: Math.round(args.durationMs('event-ttl') / 1000),
      responseRules: {
        corsOrigins: args.list('cors-allowed-origins'),
        hstsDirectives: args.list('strict-transport-security-directives'),
        goawayChance: args.number('goaway-chance'),
      },
      audit: await createApiAudit(options),
      disabledMetrics: new Set(args.list('disabled-metrics')),
      flags: () => flagTexts(args),
    },
    inFlight: {
      readOnly: args.integer('max-requests-inflight'),
      mutating: args.integer('max-mutating-requests-inflight'),
    },
    tls: tlsOptions(args),
    shutdownDelayMs: args.durationMs('shutdown-delay-duration'),
  };
}

function tlsOptions(args: ApiServerArgs): ApiOperation['tls'] {
  const minVersion = tlsVersionNames.get(args.text('tls-min-version'));
  const suites = args.list('tls-cipher-suites').flatMap((name) => cipherSuiteNames.get(name) ?? []);
  // those of TLS 1.3 cannot be chosen, in Go neither
  const always = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
  return {
    isHttp2Off: args.boolean('disable-http2-serving'),
    maxStreams: args.integer('http2-max-streams-per-connection'),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(suites.length === 0 ? {} : { ciphers: [always, ...suites].join(':') }),
  };
}

function flagTexts(args: ApiServerArgs): Record<string, string> {
  return Object.fromEntries(
    Object.entries(apiServerArgTable)
      .filter(([, arg]) => arg.effect === 'acts')
      .map(([name]) => [name, args.textOf(name as keyof typeof apiServerArgTable)]),
  );
}
