import { createApiServer } from '#apiserver/mod.ts';
import type { ApiServer, ApiServerParts } from '#apiserver/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createServiceAccountTokens } from '#pki/mod.ts';
import type { Endpoints } from '#schema/types.ts';
import type { Backend } from '#store/mod.ts';
import type { AdmissionSettings } from './admission-config/mod.ts';
import { createApiAccess, serverUser } from './api-access.ts';
import type { ApiAccess } from './api-access.ts';
import type { ApiOperation } from './api-operation.ts';
import type { EncryptionAtRest } from './encryption-at-rest.ts';
import { rotateJoinToken } from './join-credentials.ts';
import type { ServerIdentity } from './server-identity.ts';
import type { ServerSettings } from './settings.ts';
import { startupChecks } from './startup-checks.ts';
import type { StartupState } from './startup-checks.ts';
import { nodeCertificateRoutes } from './supervisor/node-certificates.ts';
import { createNodePasswords } from './supervisor/node-passwords.ts';
import { createSupervisorRouter } from './supervisor/router.ts';
import type { SupervisorCaller, SupervisorRequest, SupervisorRoute } from './supervisor/router.ts';
import { clusterRoutes } from './supervisor/routes.ts';
import { secretsEncryptionRoutes } from './supervisor/secrets-encryption.ts';
import { tokenRoutes } from './supervisor/token.ts';

export interface BuildOptions {
  readonly settings: ServerSettings;
  readonly identity: ServerIdentity;
  readonly backend: Backend;
  /** Read by health checks; the caller says when things have happened. */
  readonly state: StartupState;
  readonly operation: ApiOperation;
  readonly encryption: EncryptionAtRest | undefined;
  readonly admission: AdmissionSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The API server with k3s' choices of access and the supervisor's routes; it does not listen yet. */
export function buildApiServer(options: BuildOptions): ApiServer {
  const { settings, identity, backend, state, encryption, admission } = options;
  const { clock, random, log } = options;
  const { paths, authorities, credentials, serviceKey, kubeletClient, proxyClient } = identity;
  const { operation, inFlight } = options.operation;
  let access: ApiAccess | undefined;
  let current = credentials;
  const routes: SupervisorRoute[] = [];
  const router = createSupervisorRouter({
    authenticate: async (request) => await authenticateCaller(request, access),
    log,
    routes,
  });
  const api: ApiServer = createApiServer({
    backend,
    clock,
    random,
    log,
    inFlight,
    operation: { ...operation, encryption: encryption?.backend },
    extend: (parts: ApiServerParts) => {
      access = createApiAccess({
        parts,
        backend,
        settings,
        authorities,
        users: () => current.users,
        tokens: createServiceAccountTokens(serviceKey),
        kubeletClient,
        proxyClient,
        admission,
        clock,
        random,
        log,
      });
      return {
        ...access,
        healthChecks: [
          ...startupChecks(state),
          ...(encryption?.healthChecks ?? []),
          ...(access.healthChecks ?? []),
        ],
      };
    },
    supervisor: {
      wants: (path) => path.startsWith('/v1-k3s/') || path === '/cacerts' || path === '/ping',
      handle: router,
    },
  });
  const client = api.client(serverUser, 'k3ts-supervisor');
  const nodePasswords = createNodePasswords({ client, random, log });
  routes.push(
    ...clusterRoutes({
      settings,
      authorities,
      isReady: () => state.hasBootstrapped,
      apiServers: async () => {
        const found = await client.get<Endpoints>(resources.endpoints, 'kubernetes', {
          namespace: 'default',
        });
        const addresses = found.subsets?.[0]?.addresses ?? [];
        return addresses.map(({ ip }) => `${ip}:${settings.advertisePort}`);
      },
    }),
    ...secretsEncryptionRoutes({
      paths,
      reload: encryption?.isOwnFile === true ? encryption.reload : undefined,
      client,
      clock,
      random,
      log,
    }),
    ...tokenRoutes({
      rotate: async (newToken) => {
        const serverCaPem = authorities.server.certificatePem;
        const { agentToken } = settings;
        current = await rotateJoinToken({ paths, serverCaPem, agentToken, newToken, random });
        log.info('The token was rotated', { file: paths.token });
      },
    }),
    ...nodeCertificateRoutes({ authorities, sharedKeys: {}, nodePasswords, clock, random }),
  );
  return api;
}

async function authenticateCaller(
  request: SupervisorRequest,
  access: ApiAccess | undefined,
): Promise<SupervisorCaller | undefined> {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket;
  const found = await access?.supervisorAuthenticator.authenticate({
    headers: request.headers,
    peerCertificate: peerCertificateOf(socket),
    remoteAddress: socket?.remoteAddress ?? '',
  });
  return found?.user;
}

function peerCertificateOf(socket: unknown): Buffer | undefined {
  const tlsSocket = socket as { getPeerCertificate?: () => { raw?: Buffer } } | undefined;
  return tlsSocket?.getPeerCertificate?.().raw;
}
