import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';
import type { ClusterReader } from './metrics-api.ts';
import { parseResourceMetrics } from './resource-samples.ts';
import type { UsageStore } from './usage-store.ts';

/** How often every kubelet is asked, as k3s sets it for metrics-server. */
const resolutionMs = 15_000;
/** Until each node has been read twice, so that a new cluster has numbers soon. */
const eagerMs = 2_500;
const timeoutMs = 10_000;
const keptMs = 4 * resolutionMs;
const atATime = 10;

/** Asks the kubelets of all nodes for their usage until the signal is aborted. Never rejects. */
export async function scrapeNodes(options: {
  client: Client;
  reader: ClusterReader;
  store: UsageStore;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { reader, store, clock, log, signal } = options;
  const failures = createFailureLog(log);

  const scrape = async (nodeName: string): Promise<void> => {
    try {
      store.put(nodeName, parseResourceMetrics(await readUsage(nodeName, options), clock.now()));
      failures.succeeded(nodeName);
    } catch (error) {
      if (!signal.aborted) failures.failed(nodeName, messageOf(error));
    }
  };
  let eagerLeft = resolutionMs / eagerMs;
  while (!signal.aborted) {
    const names = reader
      .list<Node>(resources.nodes)
      .filter(isReachable)
      .map(({ metadata }) => metadata.name);
    store.retain(new Set(names), clock.now() - keptMs);
    const waiting = [...names];
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await scrape(next);
    };
    await Promise.all(Array.from({ length: Math.min(atATime, names.length) }, work));
    failures.endRound(new Set(names));
    const isEager = names.length === 0 || names.some((name) => !store.isKnown(name));
    eagerLeft = isEager && names.length > 0 ? eagerLeft - 1 : resolutionMs / eagerMs;
    const isSoon = isEager && eagerLeft > 0;
    for (let waitedMs = 0; waitedMs < resolutionMs && !signal.aborted; waitedMs += eagerMs) {
      await clock.sleep(eagerMs, signal).catch(() => undefined);
      if (isSoon || store.takeWanted()) break;
    }
  }
}

/**
 * Tells of nodes that failed twice in a row in one line a round, and not again until they have
 * answered. Once is no news: a kubelet starts a moment after the server that knows it as Ready.
 */
function createFailureLog(log: Logger): {
  failed(nodeName: string, message: string): void;
  succeeded(nodeName: string): void;
  /** Writes the line; what is not among `names` is forgotten. */
  endRound(names: ReadonlySet<string>): void;
} {
  const failing = new Map<string, number>();
  const fresh = new Map<string, string>();
  return {
    failed(nodeName, message) {
      const times = (failing.get(nodeName) ?? 0) + 1;
      if (times === 2) fresh.set(nodeName, message);
      failing.set(nodeName, times);
    },
    succeeded: (nodeName) => void failing.delete(nodeName),
    endRound(names) {
      for (const nodeName of failing.keys()) if (!names.has(nodeName)) failing.delete(nodeName);
      const [first] = fresh;
      if (first === undefined) return;
      const [node, error] = first;
      const others = fresh.size - 1;
      fresh.clear();
      if (others === 0) log.warning('Cannot read the usage of a node', { node, error });
      else log.warning(`Cannot read the usage of ${others + 1} nodes`, { first: node, error });
    },
  };
}

function isReachable({ status }: Node): boolean {
  if ((status?.addresses ?? []).length === 0) return false;
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

async function readUsage(
  nodeName: string,
  { client, clock, signal }: { client: Client; clock: Clock; signal: AbortSignal },
): Promise<string> {
  const late = new AbortController();
  const timer = clock.after(timeoutMs, () =>
    late.abort(new K3tsError('Timeout', `no answer for ${timeoutMs / 1000} s`)),
  );
  try {
    const { status, body } = await client.raw({
      method: 'GET',
      path: `/api/v1/nodes/${encodeURIComponent(nodeName)}/proxy/metrics/resource`,
      signal: AbortSignal.any([signal, late.signal]),
    });
    const text = body.toString();
    if (status === 200) return text;
    throw new K3tsError('ScrapeFailed', `HTTP ${status}: ${messageIn(text).slice(0, 200)}`);
  } finally {
    timer.cancel();
  }
}

/** The message of a Status; other texts as they are. */
function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    // The kubelet's own errors are plain text.
    return text;
  }
}
