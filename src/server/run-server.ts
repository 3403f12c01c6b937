import type { ApiServer } from '#apiserver/mod.ts';
import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { openBackend, startCompactor } from '#store/mod.ts';
import type { AgentProcess } from './agent-process/mod.ts';
import { readAdmissionSettings } from './admission-config/mod.ts';
import { readApiOperation } from './api-operation.ts';
import { readApiServerArgs } from './api-server-args/mod.ts';
import { buildApiServer } from './build-api-server.ts';
import { keepCertificatesValid } from './certificate-renewal.ts';
import { openComponentEndpoints } from './component-endpoints/mod.ts';
import type { ComponentEndpoints } from './component-endpoints/mod.ts';
import { readComponentSettings } from './component-settings/mod.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { prepareDataDir } from './data-dir.ts';
import { readDatastoreTls } from './datastore.ts';
import { openServerEncryption } from './encryption-at-rest.ts';
import { writeKubeconfigs } from './kubeconfig.ts';
import { ensureLeafCertificates } from './leaf-certificates.ts';
import { listen, loopbackPort } from './listen.ts';
import { serverPaths } from './paths.ts';
import { prepareIdentity } from './server-identity.ts';
import type { ServerIdentity } from './server-identity.ts';
import { servingNames } from './serving-names.ts';
import type { ServerSettings } from './settings.ts';
import type { StartupState } from './startup-checks.ts';

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
  const identity = await prepareIdentity({ ...options, paths }).catch(closeStore);
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
    const built = buildApiServer({
      settings,
      identity,
      backend,
      state,
      operation,
      encryption,
      admission,
      clock,
      random,
      log,
    });
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
      const { caPem } = tls;
      await writeKubeconfigs({ settings, paths, caPem, loopbackPort, log });
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

function announce(
  settings: ServerSettings,
  { paths }: ServerIdentity,
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
