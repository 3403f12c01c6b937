import { readFile } from 'node:fs/promises';

import { createApiServer } from '#apiserver/mod.ts';
import type { ApiServer, ApiServerParts } from '#apiserver/mod.ts';
import type { Clock } from '#base/clock.ts';
import { K3tsError, hasCode } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createServiceAccountTokens } from '#pki/mod.ts';
import type { Endpoints } from '#schema/types.ts';
import { openBackend, startCompactor } from '#store/mod.ts';
import type { Backend } from '#store/mod.ts';
import type { AgentProcess } from './agent-process/mod.ts';
import { openComponentEndpoints } from './component-endpoints/mod.ts';
import type { ComponentEndpoints } from './component-endpoints/mod.ts';
import { readComponentSettings } from './component-settings/mod.ts';
import { readAdmissionSettings } from './admission-config/mod.ts';
import type { AdmissionSettings } from './admission-config/mod.ts';
import { createApiAccess, serverUser } from './api-access.ts';
import type { ApiAccess } from './api-access.ts';
import { ensureAuthorities, ensureServiceKey } from './authorities.ts';
import type { Authorities } from './authorities.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { readApiOperation } from './api-operation.ts';
import type { ApiOperation } from './api-operation.ts';
import { keepCertificatesValid } from './certificate-renewal.ts';
import { serviceAccountKeys } from './access/own-keys.ts';
import { readApiServerArgs } from './api-server-args/mod.ts';
import { openServerEncryption } from './encryption-at-rest.ts';
import type { EncryptionAtRest } from './encryption-at-rest.ts';
import { prepareDataDir } from './data-dir.ts';
import { readDatastoreTls } from './datastore.ts';
import { ensureJoinCredentials, rotateJoinToken } from './join-credentials.ts';
import type { JoinCredentials } from './join-credentials.ts';
import {
  renderAdminKubeconfig,
  writeAdminKubeconfig,
  writeComponentKubeconfigs,
} from './kubeconfig.ts';
import { ensureLeafCertificates } from './leaf-certificates.ts';
import { serverPaths } from './paths.ts';
import type { ServerPaths } from './paths.ts';
import { servingNames } from './serving-names.ts';
import type { ServerSettings } from './settings.ts';
import { nodeCertificateRoutes } from './supervisor/node-certificates.ts';
import { createNodePasswords } from './supervisor/node-passwords.ts';
import { createSupervisorRouter } from './supervisor/router.ts';
import type { SupervisorCaller, SupervisorRequest, SupervisorRoute } from './supervisor/router.ts';
import { startupChecks } from './startup-checks.ts';
import type { StartupState } from './startup-checks.ts';
import { clusterRoutes } from './supervisor/routes.ts';
import { secretsEncryptionRoutes } from './supervisor/secrets-encryption.ts';
import { tokenRoutes } from './supervisor/token.ts';

/** Port on loopback where the server's own kubeconfigs point to, as k3s' API server has it. */
const loopbackPort = 6444;

const controllerStopMs = 1000;

export interface RunServerOptions {
  readonly settings: ServerSettings;
  /** Begins when the server listens and is stopped before it; absent with --disable-agent. */
  readonly agent: AgentProcess | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Identity and secrets of this server, from its files. */
interface Identity {
  readonly paths: ServerPaths;
  readonly authorities: Authorities;
  readonly credentials: JoinCredentials;
  readonly serviceKey: string;
  /** PEM texts of client-kube-apiserver. */
  readonly kubeletClient: { readonly certificate: string; readonly key: string };
  /** PEM texts of client-auth-proxy. */
  readonly proxyClient: { readonly cert: string; readonly key: string };
}

/**
 * Runs a server until the signal is aborted, then stops agent, API and datastore in this order.
 * Rejects with one clear line when it cannot start.
 */
export async function runServer(options: RunServerOptions): Promise<void> {
  const { settings, clock, random, log, signal } = options;
  const startedMs = clock.monotonicMs();
  log.info('Starting k3ts server', { dataDir: settings.dataDir });
  const paths = serverPaths(settings.dataDir);
  await prepareDataDir(settings.dataDir, paths);
  let api: ApiServer | undefined;
  const args = settings.apiServerArgs ?? readApiServerArgs();
  const operation = await readApiOperation({ args, clock, log });
  const admission = await readAdmissionSettings(args);
  const components = await readComponentSettings(settings, log);
  const store = await openBackend({
    endpoint: settings.datastoreEndpoint,
    dataDir: paths.server,
    tls: await readDatastoreTls(settings),
    clock,
    log,
  });
  const compactor = startCompactor({ backend: store, clock, log });
  const closeStore = async (error: unknown): Promise<never> => {
    await compactor.close();
    await store.close();
    throw error;
  };
  // After the datastore: a second server in this directory ends there, and has changed nothing.
  const identity = await prepareIdentity(options, paths).catch(closeStore);
  const encryption = await openServerEncryption({
    settings,
    args,
    paths,
    backend: store,
    clock,
    random,
    log,
    signal,
  }).catch(closeStore);
  const backend = encryption?.backend ?? store;
  const stopper = new AbortController();
  let controlPlane: ControlPlane | undefined;
  let endpoints: ComponentEndpoints | undefined;
  try {
    const state: StartupState = { hasLoaded: false, hasBootstrapped: false };
    const built = buildApiServer(
      options,
      identity,
      backend,
      state,
      operation,
      encryption,
      admission,
    );
    api = built;
    const tls = await listen(built, settings, paths, operation.tls);
    keepCertificatesValid({
      renew: () =>
        ensureLeafCertificates({
          paths,
          authorities: identity.authorities,
          names: servingNames(settings),
          clock,
          random,
          log,
        }),
      serving: {
        certificate: paths.tlsFile('serving-kube-apiserver.crt'),
        key: paths.tlsFile('serving-kube-apiserver.key'),
      },
      setCertificate(pair) {
        built.http.setCertificate({ ...operation.tls, ...pair });
        endpoints?.setCertificate(pair);
      },
      clock,
      log,
      signal: stopper.signal,
    });
    options.agent?.begin(identity.credentials.agentToken);
    try {
      await built.start();
      state.hasLoaded = true;
      await writeKubeconfigs(settings, paths, tls.caPem, log);
      controlPlane = await startControlPlane({
        api: built,
        backend,
        settings,
        components,
        authorities: identity.authorities,
        serviceKey: identity.serviceKey,
        clock,
        random,
        log,
        signal: stopper.signal,
      });
      state.hasBootstrapped = true;
      const isReady = (): boolean => controlPlane?.isSynced === true;
      const parts = { api: built, settings, components, paths, isReady, log };
      endpoints = await openComponentEndpoints(parts);
      announce(settings, identity, log, clock.monotonicMs() - startedMs);
      await untilAborted(signal);
      await delayShutdown(built, operation.shutdownDelayMs, clock);
      log.info('Stopping k3ts server');
    } finally {
      await options.agent?.stop();
    }
  } finally {
    stopper.abort(new K3tsError('Stopped', 'the server stops'));
    // What a controller has under way may still be answered; a stuck one does not hold the end up.
    const late = Promise.withResolvers<void>();
    const timer = clock.after(controllerStopMs, late.resolve);
    await Promise.race([controlPlane?.done, late.promise]);
    timer.cancel();
    await endpoints?.close();
    await api?.close();
    await compactor.close();
    await backend.close();
  }
}

async function prepareIdentity(
  { settings, clock, random, log }: RunServerOptions,
  paths: ServerPaths,
): Promise<Identity> {
  const [authorities, ownKey] = await Promise.all([
    ensureAuthorities({ paths, clock, random }),
    ensureServiceKey(paths),
  ]);
  const names = servingNames(settings);
  await ensureLeafCertificates({ paths, authorities, names, clock, random, log });
  const credentials = await ensureJoinCredentials({
    paths,
    serverCaPem: authorities.server.certificatePem,
    token: settings.token,
    agentToken: settings.agentToken,
    random,
  });
  const kubeletClient = {
    certificate: await readFile(paths.tlsFile('client-kube-apiserver.crt'), 'utf8'),
    key: await readFile(paths.tlsFile('client-kube-apiserver.key'), 'utf8'),
  };
  const proxyClient = {
    cert: await readFile(paths.tlsFile('client-auth-proxy.crt'), 'utf8'),
    key: await readFile(paths.tlsFile('client-auth-proxy.key'), 'utf8'),
  };
  const serviceKey = serviceAccountKeys(settings.apiServerArgs ?? readApiServerArgs(), ownKey);
  return { paths, authorities, credentials, serviceKey, kubeletClient, proxyClient };
}

function buildApiServer(
  { settings, clock, random, log }: RunServerOptions,
  { paths, authorities, credentials, serviceKey, kubeletClient, proxyClient }: Identity,
  backend: Backend,
  state: StartupState,
  { operation, inFlight }: ApiOperation,
  encryption: EncryptionAtRest | undefined,
  admission: AdmissionSettings,
): ApiServer {
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

async function listen(
  api: ApiServer,
  settings: ServerSettings,
  paths: ServerPaths,
  serving: ApiOperation['tls'],
): Promise<{ caPem: string }> {
  const [cert, key, caPem] = await Promise.all([
    readFile(paths.tlsFile('serving-kube-apiserver.crt'), 'utf8'),
    readFile(paths.tlsFile('serving-kube-apiserver.key'), 'utf8'),
    readFile(paths.tlsFile('server-ca.crt'), 'utf8'),
  ]);
  const tls = { ...serving, cert, key };
  const places = [{ host: settings.bindAddress, port: settings.httpsPort }];
  if (settings.httpsPort !== loopbackPort) places.push({ host: '127.0.0.1', port: loopbackPort });
  for (const { host, port } of places) {
    try {
      await api.listen({ host, port, tls });
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE')) throw error;
      throw new K3tsError(
        'Usage',
        `port ${port} on ${host} is in use: is k3ts or k3s running already? ` +
          '(--https-listen-port sets another one)',
        { cause: error },
      );
    }
  }
  return { caPem };
}

async function writeKubeconfigs(
  settings: ServerSettings,
  paths: ServerPaths,
  caPem: string,
  log: Logger,
): Promise<void> {
  await writeComponentKubeconfigs(paths, `https://127.0.0.1:${loopbackPort}`);
  const isAnyAddress = settings.bindAddress === '0.0.0.0' || settings.bindAddress === '::';
  const host = isAnyAddress ? '127.0.0.1' : settings.bindAddress;
  await writeAdminKubeconfig({
    kubeconfig: settings.kubeconfig,
    log,
    content: renderAdminKubeconfig({
      server: `https://${host.includes(':') ? `[${host}]` : host}:${settings.httpsPort}`,
      caPem,
      certificatePem: await readFile(paths.tlsFile('client-admin.crt'), 'utf8'),
      keyPem: await readFile(paths.tlsFile('client-admin.key'), 'utf8'),
    }),
  });
}

function announce(
  settings: ServerSettings,
  { paths }: Identity,
  log: Logger,
  startMs: number,
): void {
  const url = `https://${settings.advertiseAddress}:${settings.advertisePort}`;
  log.info(`To join node to cluster: k3s agent -s ${url} -t \${NODE_TOKEN}`);
  log.info('Node token is available at', { file: paths.nodeToken });
  log.info('Wrote kubeconfig', { file: settings.kubeconfig.path });
  log.info('k3ts is up and running', { startMs: Math.round(startMs) });
}

/** Answers on for a while although it is not ready any more, so that balancers look away. */
async function delayShutdown(api: ApiServer, delayMs: number, clock: Clock): Promise<void> {
  api.announceShutdown();
  if (delayMs > 0) await clock.sleep(delayMs);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    // Keeps the process alive: nothing else may hold it when the agent is disabled.
    const keepAlive = new BroadcastChannel('k3ts-server');
    signal.addEventListener(
      'abort',
      () => {
        keepAlive.close();
        resolve();
      },
      { once: true },
    );
  });
}
