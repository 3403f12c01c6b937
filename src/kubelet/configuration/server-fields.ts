import { acts, ignored, refused } from './field.ts';
import type { FieldTable } from './field.ts';

/** Fields about the kubelet's own API and who may use it. */
export const serverFields: FieldTable = {
  enableServer: refused('boolean', true, 'the API server reads logs through it'),
  address: acts('text', '0.0.0.0'),
  port: acts('integer', 10250),
  readOnlyPort: refused('integer', 0, 'there is no port without authentication'),
  healthzPort: acts('integer', 10248),
  healthzBindAddress: acts('text', '127.0.0.1'),
  tlsCertFile: refused('text', '', 'k3ts makes and renews the certificates', 'tls-cert-file'),
  tlsPrivateKeyFile: refused('text', '', 'k3ts makes and renews the certificates'),
  tlsCipherSuites: ignored('texts', undefined, 'those of Node.js'),
  tlsMinVersion: refused('text', 'VersionTLS12', 'TLS 1.2 is the least'),
  rotateCertificates: ignored('boolean', false, 'certificates are always renewed'),
  serverTLSBootstrap: refused('boolean', false, 'k3ts makes the certificates', 'none'),
  'authentication.x509.clientCAFile': refused('text', '', 'that of the cluster', 'client-ca-file'),
  'authentication.webhook.enabled': refused(
    'boolean',
    true,
    'tokens are always reviewed',
    'authentication-token-webhook',
  ),
  'authentication.webhook.cacheTTL': acts(
    'duration',
    '2m0s',
    'authentication-token-webhook-cache-ttl',
  ),
  'authentication.anonymous.enabled': refused(
    'boolean',
    false,
    'there are no anonymous users',
    'anonymous-auth',
  ),
  'authorization.mode': refused('text', 'Webhook', 'the API server decides', 'authorization-mode'),
  'authorization.webhook.cacheAuthorizedTTL': acts(
    'duration',
    '5m0s',
    'authorization-webhook-cache-authorized-ttl',
  ),
  'authorization.webhook.cacheUnauthorizedTTL': acts(
    'duration',
    '30s',
    'authorization-webhook-cache-unauthorized-ttl',
  ),
  enableDebuggingHandlers: acts('boolean', true),
  enableSystemLogHandler: acts('boolean', true),
  enableSystemLogQuery: refused('boolean', false, 'the journal is not read'),
  enableContentionProfiling: ignored('boolean', false, 'a setting of the Go runtime'),
  enableProfilingHandler: ignored('boolean', true, 'a setting of the Go runtime'),
  enableDebugFlagsHandler: ignored('boolean', true, 'use --debug'),
  streamingConnectionIdleTimeout: ignored('duration', '4h0m0s', 'the runtime ends idle streams'),
};
