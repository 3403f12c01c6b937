import { acts, ignored, notNegative, oneOf, refused } from './argument.ts';
import { cipherSuiteNames, tlsVersionNames } from './tls-names.ts';

const ownMemory = 'the watch cache always holds every kind';
const noEtcdFlags = 'the datastore is set with --datastore-endpoint and --datastore-cafile';

/** Limits, timeouts, serving, audit, storage and what else running a server needs. */
export const operationArgs = {
  // flow control and limits
  'enable-priority-and-fairness': acts('boolean', 'true'),
  'max-requests-inflight': acts('integer', '400', notNegative),
  'max-mutating-requests-inflight': acts('integer', '200', notNegative),
  'request-timeout': acts('duration', '1m0s', notNegative),
  'min-request-timeout': acts('integer', '1800', notNegative),
  'goaway-chance': acts('number', '0', {
    check: (text) =>
      Number(text) >= 0 && Number(text) <= 0.02 ? undefined : 'must be in the range [0, 0.02]',
  }),
  'cors-allowed-origins': acts('list', ''),
  'strict-transport-security-directives': acts('list', ''),
  'shutdown-delay-duration': acts('duration', '0s', notNegative),
  'shutdown-send-retry-after': acts('boolean', 'false'),
  'shutdown-watch-termination-grace-period': acts('duration', '0s', notNegative),
  'livez-grace-period': acts('duration', '0s', notNegative),
  'event-ttl': acts('duration', '1h0m0s', notNegative),
  'delete-collection-workers': ignored('integer', '1', 'deletes are committed together anyway'),
  'http2-max-streams-per-connection': acts('integer', '1000', notNegative),
  'max-connection-bytes-per-sec': ignored(
    'integer',
    '0',
    'connections to pods are not slowed down',
  ),
  // serving
  'tls-cipher-suites': acts('list', '', {
    check: (text) =>
      cipherSuiteNames.has(text)
        ? undefined
        : `Cipher suite ${text} not supported or doesn't exist`,
  }),
  'tls-min-version': acts('text', 'VersionTLS12', {
    check: (text) =>
      tlsVersionNames.has(text) ? undefined : `unknown tls version ${JSON.stringify(text)}`,
  }),
  'disable-http2-serving': acts('boolean', 'false'),
  'tls-cert-file': refused('text', 'k3ts issues its serving certificate; --tls-san adds names'),
  'tls-private-key-file': refused('text', 'k3ts issues its serving certificate'),
  'tls-sni-cert-key': refused('list', 'k3ts issues its serving certificate; --tls-san adds names'),
  'cert-dir': ignored('text', '', 'certificates are below the data directory'),
  'bind-address': refused('text', 'use --bind-address of k3ts'),
  'secure-port': refused('integer', 'use --https-listen-port of k3ts'),
  'advertise-address': refused('text', 'use --advertise-address of k3ts'),
  'external-hostname': ignored('text', '', 'only the index of the OpenAPI document would name it'),
  'permit-address-sharing': ignored('boolean', 'false', 'one process listens'),
  'permit-port-sharing': ignored('boolean', 'false', 'one process listens'),
  // audit
  'audit-policy-file': acts('text', ''),
  'audit-log-path': acts('text', ''),
  'audit-log-maxage': acts('integer', '0', notNegative),
  'audit-log-maxbackup': acts('integer', '0', notNegative),
  'audit-log-maxsize': acts('integer', '0', notNegative),
  'audit-log-compress': acts('boolean', 'false'),
  'audit-log-format': acts('text', 'json', oneOf('json', 'legacy')),
  'audit-log-version': acts('text', 'audit.k8s.io/v1', oneOf('audit.k8s.io/v1')),
  'audit-log-mode': acts('text', 'blocking', oneOf('batch', 'blocking', 'blocking-strict')),
  'audit-log-batch-buffer-size': acts('integer', '10000'),
  'audit-log-batch-max-size': acts('integer', '1'),
  'audit-log-batch-max-wait': acts('duration', '0s'),
  'audit-log-batch-throttle-enable': acts('boolean', 'false'),
  'audit-log-batch-throttle-qps': acts('number', '0'),
  'audit-log-batch-throttle-burst': acts('integer', '0'),
  'audit-log-truncate-enabled': acts('boolean', 'false'),
  'audit-log-truncate-max-batch-size': acts('integer', '10485760'),
  'audit-log-truncate-max-event-size': acts('integer', '102400'),
  'audit-webhook-config-file': acts('text', ''),
  'audit-webhook-initial-backoff': acts('duration', '10s'),
  'audit-webhook-version': acts('text', 'audit.k8s.io/v1', oneOf('audit.k8s.io/v1')),
  'audit-webhook-mode': acts('text', 'batch', oneOf('batch', 'blocking', 'blocking-strict')),
  'audit-webhook-batch-buffer-size': acts('integer', '10000'),
  'audit-webhook-batch-max-size': acts('integer', '400'),
  'audit-webhook-batch-max-wait': acts('duration', '30s'),
  'audit-webhook-batch-throttle-enable': acts('boolean', 'true'),
  'audit-webhook-batch-throttle-qps': acts('number', '10'),
  'audit-webhook-batch-throttle-burst': acts('integer', '15'),
  'audit-webhook-truncate-enabled': acts('boolean', 'false'),
  'audit-webhook-truncate-max-batch-size': acts('integer', '10485760'),
  'audit-webhook-truncate-max-event-size': acts('integer', '102400'),
  // storage
  'encryption-provider-config': acts('text', ''),
  'encryption-provider-config-automatic-reload': acts('boolean', 'false'),
  'etcd-prefix': refused('text', 'keys are always below /registry'),
  'etcd-servers': refused('list', noEtcdFlags),
  'etcd-servers-overrides': refused('list', 'all kinds share one datastore'),
  'etcd-cafile': refused('text', noEtcdFlags),
  'etcd-certfile': refused('text', noEtcdFlags),
  'etcd-keyfile': refused('text', noEtcdFlags),
  'etcd-compaction-interval': ignored('duration', '5m0s', 'the datastore is compacted as k3s does'),
  'etcd-count-metric-poll-period': ignored('duration', '1m0s', 'counts are always exact'),
  'etcd-db-metric-poll-interval': ignored('duration', '30s', 'sizes are read when asked for'),
  'etcd-healthcheck-timeout': ignored('duration', '2s', 'the check is bounded by the datastore'),
  'etcd-readycheck-timeout': ignored('duration', '2s', 'the check is bounded by the datastore'),
  'lease-reuse-duration-seconds': ignored('integer', '60', 'each write has a lease of its own'),
  'storage-backend': ignored('text', 'etcd3', 'there is one form of storage'),
  'storage-media-type': ignored('text', 'application/json', 'values are stored as JSON'),
  'storage-initialization-timeout': ignored('duration', '1m0s', 'nothing is served before'),
  'watch-cache': ignored('boolean', 'true', ownMemory),
  'watch-cache-sizes': ignored('list', '', ownMemory),
  'default-watch-cache-size': ignored('integer', '100', ownMemory),
  'enable-garbage-collector': ignored('boolean', 'true', 'the garbage collector always runs'),
  // observing
  profiling: ignored('boolean', 'true', 'there are no Go profiles to serve'),
  'contention-profiling': ignored('boolean', 'false', 'there are no Go profiles to serve'),
  'debug-socket-path': ignored('text', '', 'there are no Go profiles to serve'),
  'tracing-config-file': refused('text', 'traces are read with k3ts trace'),
  'allow-metric-labels': ignored('list', '', 'no metric has labels without a bound'),
  'allow-metric-labels-manifest': ignored('text', '', 'no metric has labels without a bound'),
  'disabled-metrics': acts('list', ''),
  'show-hidden-metrics-for-version': ignored('text', '', 'no metric is hidden'),
  'log-flush-frequency': ignored('duration', '5s', 'log lines are written at once'),
  'log-json-info-buffer-size': ignored('text', '0', 'log lines are written at once'),
  'log-json-split-stream': ignored('boolean', 'false', 'k3ts writes one log'),
  'log-text-info-buffer-size': ignored('text', '0', 'log lines are written at once'),
  'log-text-split-stream': ignored('boolean', 'false', 'k3ts writes one log'),
  'logging-format': ignored('text', 'text', 'k3ts has one form of log lines'),
  v: ignored('integer', '0', '--debug of k3ts shows more'),
  vmodule: ignored('list', '', '--debug of k3ts shows more'),
  // versions and gates
  'feature-gates': acts('list', '', {
    check: (text) =>
      /^[A-Za-z]+=(true|false|t|f|1|0|T|F|TRUE|FALSE|True|False)$/.test(text)
        ? undefined
        : `missing bool value for ${text.split('=')[0] ?? text}`,
  }),
  'emulated-version': ignored('list', '', 'k3ts speaks one version'),
  'emulation-forward-compatible': ignored('boolean', 'false', 'k3ts speaks one version'),
  'min-compatibility-version': ignored('list', '', 'k3ts speaks one version'),
  'runtime-config-emulation-forward-compatible': ignored('boolean', 'false', 'one version'),
  'coordinated-leadership-lease-duration': ignored('duration', '15s', 'the feature is off'),
  'coordinated-leadership-renew-deadline': ignored('duration', '10s', 'the feature is off'),
  'coordinated-leadership-retry-period': ignored('duration', '2s', 'the feature is off'),
} as const;
