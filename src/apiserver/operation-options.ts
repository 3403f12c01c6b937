import type { MetricRegistry } from '#base/metrics.ts';

import type { Auditor } from './audit/mod.ts';
import type { EncryptionState } from './encryption/mod.ts';
import type { ResponseRulesOptions } from './http/response-rules.ts';

/** How the server is run, beside what it serves; everything has upstream's default. */
export interface OperationOptions {
  /** Off: plain limits of requests in flight. */
  readonly priorityAndFairness?: boolean;
  /** For requests that are no watch and no connection. */
  readonly requestTimeoutMs?: number;
  /** Watches without a timeout of their own last this long to twice as long. */
  readonly minRequestTimeoutMs?: number;
  readonly eventTtlSeconds?: number;
  readonly responseRules?: ResponseRulesOptions;
  /** Made when the metrics are there. */
  readonly audit?: ((metrics: MetricRegistry) => Auditor) | undefined;
  /** Of the backend, when it seals values. */
  readonly encryption?: EncryptionState | undefined;
  /** Names of metrics that are not shown. */
  readonly disabledMetrics?: ReadonlySet<string>;
  /** For /flagz. */
  readonly flags?: () => Readonly<Record<string, string>>;
}
