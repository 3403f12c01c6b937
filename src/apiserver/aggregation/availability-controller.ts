import { hasReason } from '#base/api-status-error.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { APIService, EndpointSlice, Service } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { apiServices } from './api-service.ts';
import {
  checkService,
  failedDiscovery,
  localAvailability,
  passedAvailability,
  withAvailability,
} from './availability.ts';
import type { Availability } from './availability.ts';
import { addAvailabilityMetrics } from './availability-metrics.ts';
import { sendRemote } from './remote-request.ts';
import type { RemoteServer } from './remote-server.ts';
import { aggregatorHeaders } from './aggregator-user.ts';

const recheckMs = 30_000;
const checkTimeoutMs = 5000;
const attempts = 5;
const workers = 5;

export interface AvailabilityOptions {
  readonly client: Client;
  readonly reader: ObjectReader;
  /** The server behind an APIService; undefined for local ones. */
  readonly remote: (name: string) => RemoteServer | undefined;
  readonly metrics?: MetricRegistry | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Keeps the condition Available of every APIService: at once when it, its Service or its endpoints
 * change, and every half minute by asking the server for its discovery.
 */
export function startAvailability(options: AvailabilityOptions): { done: Promise<void> } {
  const { client, reader, clock, log, signal } = options;
  const countLoss = addAvailabilityMetrics(options.metrics, reader);

  async function reconcile(name: string): Promise<{ requeueAfterMs?: number }> {
    const service = reader.get<APIService>(apiServices, '', name);
    if (service === undefined) return {};
    const found = await availabilityOf(service);
    const conditions = withAvailability(service, found, formatTime(clock.now()));
    if (conditions !== undefined) {
      if (found.status === 'False') countLoss(name, found.reason);
      const object = { ...service, status: { ...service.status, conditions } };
      try {
        await client.update<APIService>(apiServices, object, { subresource: 'status' });
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }
    return service.spec?.service === undefined ? {} : { requeueAfterMs: recheckMs };
  }

  async function availabilityOf(service: APIService): Promise<Availability> {
    if (service.spec?.service === undefined) return localAvailability;
    const found = checkService(reader, service);
    if (found !== undefined) return found;
    const server = options.remote(service.metadata.name);
    if (server === undefined) return localAvailability;
    const failure = await checkDiscovery({ server, clock, signal });
    return failure === undefined ? passedAvailability : failedDiscovery(failure);
  }

  const { queue, done } = startControllerLoop({
    name: 'apiservice-availability',
    clock,
    log,
    signal,
    workers,
    reconcile,
  });
  const addServed = (namespace: string, name: string): void => {
    for (const { metadata, spec } of reader.list<APIService>(apiServices)) {
      const { service } = spec ?? {};
      if (service?.name === name && service.namespace === namespace) queue.add(metadata.name);
    }
  };
  const removers = [
    reader.onChange<APIService>(apiServices, ({ next }) => {
      if (next !== undefined) queue.add(next.metadata.name);
    }),
    reader.onChange<Service>(resources.services, ({ next, previous }) => {
      const { namespace = '', name = '' } = (next ?? previous)?.metadata ?? {};
      addServed(namespace, name);
    }),
    reader.onChange<EndpointSlice>(resources.endpointSlices, ({ next, previous }) => {
      const { namespace = '', labels } = (next ?? previous)?.metadata ?? {};
      const name = labels?.['kubernetes.io/service-name'];
      if (name !== undefined) addServed(namespace, name);
    }),
  ];
  signal.addEventListener('abort', () => removers.forEach((remove) => remove()), { once: true });
  return { done };
}

/** Asks for the discovery of the group version, several times at once; one success is enough. */
async function checkDiscovery(of: {
  server: RemoteServer;
  clock: Clock;
  signal: AbortSignal;
}): Promise<string | undefined> {
  const tries = Array.from({ length: attempts }, () => tryDiscovery(of));
  const failures: string[] = [];
  const succeeded = await Promise.any(
    tries.map(async (attempt) => {
      const failure = await attempt;
      if (failure === undefined) return true;
      failures.push(failure);
      throw new Error(failure);
    }),
  ).catch(() => false);
  return succeeded ? undefined : failures.at(-1);
}

async function tryDiscovery({
  server,
  clock,
  signal,
}: {
  server: RemoteServer;
  clock: Clock;
  signal: AbortSignal;
}): Promise<string | undefined> {
  const { group = '', version = '' } = server.service.spec ?? {};
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  let url: string;
  try {
    const { host, port } = server.resolve();
    url = `https://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  } catch (error) {
    return messageOf(error);
  }
  const end = new AbortController();
  let isLate = false;
  const timer = clock.after(checkTimeoutMs, () => {
    isLate = true;
    end.abort();
  });
  const onAbort = (): void => end.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const headers = aggregatorHeaders();
    const answer = await sendRemote(server, { method: 'GET', path, headers, signal: end.signal });
    answer.resume();
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return undefined;
    return `failing or missing response from ${url}: bad status from ${url}: ${status}`;
  } catch (error) {
    const why = isLate
      ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      : messageOf(error);
    return `failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${why}`;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}
