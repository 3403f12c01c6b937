import type { Clock } from '#base/clock.ts';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom, systemRandom } from '#base/random.ts';
import type { Client, HttpClient } from '#client/mod.ts';
import { createHttpClient } from '#client/mod.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';
import type { Backend } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';
import type { ApiServer, ApiServerExtensions } from './server.ts';
import { createApiServer } from './server.ts';

/** A server over an empty memory store where everybody is admin. */
export interface TestServer {
  readonly server: ApiServer;
  readonly backend: Backend;
  /** A client in this process. */
  readonly client: Client;
  /** Listens with a certificate of its own; call at most once. */
  listen(): Promise<{ port: number; ca: string; client: HttpClient }>;
  close(): Promise<void>;
}

export const testUser = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** Starts a server for tests; what is not overridden allows everything and admits everything. */
export async function startTestServer(
  options: { clock?: Clock; extensions?: Partial<ApiServerExtensions> } = {},
): Promise<TestServer> {
  const clock = options.clock ?? systemClock;
  const backend = await openBackend({
    clock,
    log: silentLogger,
    endpoint: 'memory://',
    dataDir: '',
  });
  const server = createApiServer({
    backend,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    extend: () => ({
      authenticator: { authenticate: () => Promise.resolve({ user: testUser }) },
      authorizer: { authorize: () => Promise.resolve({ decision: 'allow', reason: '' }) },
      ...options.extensions,
    }),
  });
  await server.start();
  let http: HttpClient | undefined;
  return {
    server,
    backend,
    client: server.client(testUser, 'test/1.0'),
    async listen() {
      const tls = await testCertificate();
      const port = await server.listen({ host: '127.0.0.1', port: 0, tls });
      http = createHttpClient({
        server: `https://127.0.0.1:${port}`,
        ca: tls.ca,
        userAgent: 'test/1.0',
        clock: systemClock,
        log: silentLogger,
      });
      return { port, ca: tls.ca, client: http };
    },
    async close() {
      http?.close();
      await server.close();
      await backend.close();
    },
  };
}

async function testCertificate(): Promise<{ ca: string; cert: string; key: string }> {
  const nowMs = systemClock.now();
  const authority = await createAuthority({
    commonName: 'test-ca',
    keyPem: await createEcKey(),
    nowMs,
    serial: systemRandom.bytes(8),
  });
  const key = await createEcKey();
  const cert = await issueCertificate({
    authority,
    commonName: 'test-server',
    ipAddresses: ['127.0.0.1'],
    purposes: ['server'],
    key,
    nowMs,
    serial: systemRandom.bytes(8),
  });
  return { ca: authority.certificatePem, cert, key };
}
