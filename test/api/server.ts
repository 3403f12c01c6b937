import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '#base/clock.ts';
import { createLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import { createEcKey, issueCertificate } from '#pki/mod.ts';
import { readControllerManagerArgs, readSchedulerArgs } from '#server/component-args/mod.ts';
import { runServer } from '#server/mod.ts';
import type { ServerSettings } from '#server/mod.ts';
import { answerOf } from './answer.ts';
import type { Answer } from './answer.ts';
import { watchReader } from './watch-reader.ts';
import type { WatchReader } from './watch-reader.ts';

/** Bound of waits for a condition; far more than a quiet machine needs. */
export const untilMs = 60_000;

/** Certificate and key of a client, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface RequestOptions {
  /** Sent as JSON unless it is text or bytes. */
  body?: unknown;
  headers?: Readonly<Record<string, string | string[]>>;
  /** The admin when absent; 'none' shows no certificate. */
  as?: Identity | 'none';
}

export interface CommandAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The server as `k3ts server --disable-agent` composes it, in this process, over TLS. */
export interface TestApi {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly ca: string;
  readonly admin: Identity;
  readonly kubeconfig: string;
  readonly dataDir: string;
  /** Lines of the server's log from level warning on. */
  readonly logLines: string[];
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** Repeats a request until `check` holds for its answer; fails after `untilMs`. */
  until(path: string, check: (answer: Answer) => boolean): Promise<Answer>;
  /** Opens a watch over HTTP/1.1 and reads its events one by one. */
  watch(path: string, options?: RequestOptions): Promise<WatchReader>;
  /** kubectl with the admin's kubeconfig and a home of its own. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<CommandAnswer>;
  /** A client certificate of the cluster's authority. */
  identity(name: string, groups?: readonly string[]): Promise<Identity>;
  /**
   * Ends the server and starts it again at the same address with the same data directory; only a
   * datastore on disk keeps its objects (`datastoreEndpoint: ''`).
   */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface KubectlOptions {
  /** Another kubectl than the one on PATH. */
  program?: string;
  stdin?: string;
  env?: Readonly<Record<string, string>>;
}

/** Starts a server on a loopback address of its own, port 6444; `close` ends it. */
export async function startTestApi(changes: Partial<ServerSettings> = {}): Promise<TestApi> {
  const dataDir = await mkdtemp(join(tmpdir(), 'k3ts-api-'));
  // k3s' port for its own kubeconfigs is fixed; an address of its own keeps servers apart
  const host = `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
  const port = 6444;
  const kubeconfig = join(dataDir, 'kubeconfig.yaml');
  const logLines: string[] = [];
  const settings = { ...defaultSettings(dataDir, host, port, kubeconfig), ...changes };
  let server = await runUntilUp(settings, logLines).catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  const tls = join(dataDir, 'server', 'tls');
  const read = async (name: string): Promise<string> => await readFile(join(tls, name), 'utf8');
  const ca = await read('server-ca.crt');
  const admin = { cert: await read('client-admin.crt'), key: await read('client-admin.key') };
  const agents = new Map<Identity | 'none', Agent>();
  const agentOf = (who: Identity | 'none'): Agent => {
    const known = agents.get(who);
    if (known !== undefined) return known;
    const made = new Agent({ keepAlive: true, ca, ...(who === 'none' ? {} : who) });
    agents.set(who, made);
    return made;
  };
  const send = async (
    method: string,
    path: string,
    { body, headers = {}, as = admin }: RequestOptions,
  ): Promise<IncomingMessage> => {
    const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
    const sent = body === undefined ? undefined : isRaw ? body : JSON.stringify(body);
    // Node frames the body of a DELETE only when its length is said
    const type =
      sent === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(sent) };
    return await new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          host,
          port,
          path,
          method,
          agent: agentOf(as),
          headers: { 'User-Agent': 'api-test/1.0', ...type, ...headers },
        },
        resolve,
      );
      request.on('error', reject);
      request.end(sent);
    });
  };
  const ask: TestApi['request'] = async (method, path, options = {}) => {
    const response = await send(method, path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks));
  };
  return {
    host,
    port,
    url: `https://${host}:${port}`,
    ca,
    admin,
    kubeconfig,
    dataDir,
    logLines,
    request: ask,
    async until(path, check) {
      const endMs = systemClock.monotonicMs() + untilMs;
      for (;;) {
        const answer = await ask('GET', path);
        if (check(answer)) return answer;
        if (systemClock.monotonicMs() > endMs) throw new Error(`${path}: ${answer.text}`);
        await systemClock.sleep(20);
      }
    },
    async watch(path, options = {}) {
      const response = await send('GET', path, options);
      return watchReader(response, response.statusCode ?? 0, response.headers);
    },
    kubectl: (args, options = {}) => runKubectl(dataDir, kubeconfig, args, options),
    async identity(name, groups = []) {
      const key = await createEcKey();
      const cert = await issueCertificate({
        authority: {
          certificatePem: await read('client-ca.crt'),
          keyPem: await read('client-ca.key'),
        },
        commonName: name,
        organizations: groups,
        purposes: ['client'],
        key,
        nowMs: systemClock.now(),
        serial: systemRandom.bytes(8),
      });
      return { cert, key };
    },
    async restart() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
      await server.stop();
      server = await runUntilUp(settings, logLines);
    },
    async close() {
      for (const agent of agents.values()) agent.destroy();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Runs a server until `stop`; its log from level warning on goes to `logLines`. */
async function runUntilUp(
  settings: ServerSettings,
  logLines: string[],
): Promise<{ stop(): Promise<void> }> {
  const stop = new AbortController();
  const started = Promise.withResolvers<void>();
  const log = createLogger({
    level: 'info',
    now: () => systemClock.now(),
    write(line) {
      if (line.includes('up and running')) started.resolve();
      if (!line.includes('level=info')) logLines.push(line);
    },
  });
  const running = runServer({
    settings,
    agent: undefined,
    clock: systemClock,
    random: systemRandom,
    log,
    signal: stop.signal,
  });
  await Promise.race([started.promise, running]);
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}

function defaultSettings(
  dataDir: string,
  host: string,
  port: number,
  kubeconfig: string,
): ServerSettings {
  return {
    dataDir,
    debug: false,
    bindAddress: host,
    httpsPort: port,
    advertiseAddress: '192.0.2.10',
    advertisePort: port,
    tlsSans: [host],
    clusterCidrs: ['10.42.0.0/16'],
    serviceCidrs: ['10.43.0.0/16'],
    nodePortRange: { first: 30_000, last: 32_767 },
    clusterDns: ['10.43.0.10'],
    clusterDomain: 'cluster.local',
    flannelBackend: 'none',
    egressSelectorMode: 'disabled',
    token: '',
    agentToken: '',
    datastoreEndpoint: 'memory://',
    kubeconfig: {
      path: kubeconfig,
      mode: 0o600,
      group: undefined,
      // not this machine's /etc/rancher/k3s/k3s.yaml
      link: join(dataDir, 'k3s.yaml'),
    },
    disabled: new Set(['coredns']),
    // several servers of one machine would want the same ports
    schedulerArgs: readSchedulerArgs(['secure-port=0']),
    controllerManagerArgs: readControllerManagerArgs(['secure-port=0']),
    disableAgent: true,
    disableScheduler: false,
    disableControllerManager: false,
    disableKubeProxy: true,
    disableNetworkPolicy: true,
    disableCloudController: true,
    disableHelmController: true,
    nodeName: 'test-server',
    nodeIps: ['192.0.2.10'],
  };
}

async function runKubectl(
  home: string,
  kubeconfig: string,
  args: readonly string[],
  { program = 'kubectl', stdin, env = {} }: KubectlOptions,
): Promise<CommandAnswer> {
  return await new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      {
        cwd: home,
        timeout: 120_000,
        maxBuffer: 64 * 1024 * 1024,
        env: { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: kubeconfig, ...env },
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.end(stdin ?? '');
  });
}
