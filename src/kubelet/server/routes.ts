import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerContainerLog } from './handlers/container-log-handler.ts';
import { healthText } from './handlers/health.ts';
import { checkpointContainer } from './handlers/checkpoint-handler.ts';
import { answerLogFile } from './handlers/log-files.ts';
import { changeLocalVolume } from './handlers/local-volume-handler.ts';
import { runCommand } from './handlers/run-handler.ts';
import type { StreamTarget } from './handlers/stream-handler.ts';
import { KubeletRequestError } from './request-error.ts';
import type { KubeletServerOptions } from './server-options.ts';
import { gatherStats } from './stats/gather-stats.ts';
import { cadvisorMetrics, resourceMetrics } from './stats/metrics-text.ts';
import type { CpuRates } from './stats/rates.ts';
import { statsSummary } from './stats/summary.ts';

export interface RouteInput {
  options: KubeletServerOptions;
  rates: CpuRates;
  request: IncomingMessage;
  response: ServerResponse;
  /** Path segments, decoded; the first has named the route. */
  segments: readonly string[];
  query: URLSearchParams;
}

interface Route {
  methods: readonly string[];
  answer: (input: RouteInput) => Promise<void> | void;
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

const get = (answer: Route['answer']): Route => ({ methods: ['GET', 'HEAD'], answer });

const upgradeOnly: Route = {
  methods: ['GET', 'POST'],
  answer() {
    throw new KubeletRequestError(400, 'Upgrade request required');
  },
};

/** Everything the kubelet answers, by the first segment of the path. */
const routes: Readonly<Record<string, Route>> = {
  healthz: get(({ options, response, segments }) => {
    sendText(response, healthText(options.kubelet, segments[1]));
  }),
  pods: get(({ options, response }) => sendPods(response, options.kubelet.pods())),
  runningpods: get(({ options, response }) => sendPods(response, options.kubelet.runningPods())),
  containerLogs: get(async ({ options, segments, ...exchange }) => {
    const [, namespace = '', podName = '', container = '', ...more] = segments;
    if (container === '' || more.length > 0) throw notFound();
    await answerContainerLog(options, { namespace, podName, container }, exchange);
  }),
  exec: upgradeOnly,
  attach: upgradeOnly,
  portForward: upgradeOnly,
  run: {
    methods: ['POST'],
    async answer({ options, response, segments, query }) {
      const output = await runCommand(options, readTarget(segments), query);
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end(output);
    },
  },
  stats: get(async ({ options, rates, response, segments, query }) => {
    if (segments[1] !== 'summary') throw notFound();
    const { nodeName, clock } = options;
    const isBrief = query.get('only_cpu_and_memory') === 'true';
    const stats = await gatherStats(options, {
      hasNetwork: !isBrief,
      hasFiles: !isBrief,
      hasDetails: !isBrief,
    });
    sendJson(response, statsSummary(stats, { nodeName, nowMs: clock.now(), rates, isBrief }));
  }),
  metrics: get(async (input) => {
    input.response.setHeader('Content-Type', metricsType);
    input.response.end(await metricsText(input));
  }),
  configz: get(({ options, response }) => {
    sendJson(response, { kubeletconfig: options.configuration() });
  }),
  localVolume: {
    methods: ['PUT', 'DELETE'],
    async answer({ options, request, response, query }) {
      const { localDirectories } = options;
      if (localDirectories === undefined) throw notFound();
      await changeLocalVolume(localDirectories, request.method ?? '', query.get('path') ?? '');
      response.writeHead(204).end();
    },
  },
  checkpoint: {
    methods: ['POST'],
    async answer({ options, response, segments, query }) {
      sendJson(response, await checkpointContainer(options, segments, query));
    },
  },
  logs: get(async ({ options, response, segments }) => {
    if (options.hasSystemLogs === false) {
      throw new KubeletRequestError(405, 'logs endpoint is disabled.\n');
    }
    await answerLogFile(options.logDirectory, segments.slice(1).join('/'), response);
  }),
};

/** Paths that enableDebuggingHandlers takes away. */
const debugging = new Set([
  'run',
  'exec',
  'attach',
  'portForward',
  'containerLogs',
  'configz',
  'runningpods',
]);

/** The route of a path; throws 404 or 405. */
export function findRoute(
  method: string,
  segments: readonly string[],
  { hasDebuggingHandlers = true }: Pick<KubeletServerOptions, 'hasDebuggingHandlers'> = {},
): Route {
  const name = segments[0] ?? '';
  if (!hasDebuggingHandlers && debugging.has(name)) {
    throw new KubeletRequestError(405, 'Debug endpoints are disabled.\n');
  }
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (route === undefined) throw notFound();
  if (!route.methods.includes(method)) {
    throw new KubeletRequestError(405, '405: Method Not Allowed');
  }
  return route;
}

/** `/{namespace}/{pod}/{container}`, or with the pod's uid before the container. */
export function readTarget(segments: readonly string[]): StreamTarget {
  const [command, namespace = '', podName = '', ...rest] = segments;
  const isPortForward = command === 'portForward';
  const longest = isPortForward ? 1 : 2;
  if (podName === '' || rest.length > longest || (!isPortForward && rest.length === 0)) {
    throw notFound();
  }
  if (isPortForward) return { namespace, podName, uid: rest[0] };
  const container = rest.at(-1);
  return { namespace, podName, container, uid: rest.length === 2 ? rest[0] : undefined };
}

export function notFound(): KubeletRequestError {
  return new KubeletRequestError(404, '404 page not found\n');
}

async function metricsText({ options, segments }: RouteInput): Promise<string> {
  const nowMs = options.clock.now();
  switch (segments[1]) {
    case undefined:
      return (await options.kubelet.metrics?.registry.render()) ?? '';
    case 'resource':
      return resourceMetrics(await gatherStats(options, { hasDetails: 'with-swap' }), nowMs);
    case 'cadvisor':
      return cadvisorMetrics(
        await gatherStats(options, { hasNetwork: true, hasDetails: true }),
        nowMs,
      );
    case 'probes':
      return options.kubelet.probeMetrics?.() ?? '';
    case 'slis':
      return '';
    default:
      throw notFound();
  }
}

function sendPods(response: ServerResponse, items: readonly object[]): void {
  sendJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items });
}

function sendJson(response: ServerResponse, value: object): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(value));
}

function sendText(response: ServerResponse, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(text);
}
