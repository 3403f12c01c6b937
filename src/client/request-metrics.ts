import { ApiStatusError } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Client } from './client.ts';

const buckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/**
 * Counts and times the requests of clients under upstream's names; watches are counted when they
 * begin. `host` is shown as it is. Several meters may share a registry.
 */
export function createRequestMeter(options: {
  registry: MetricRegistry;
  clock: Clock;
  host: string;
}): (client: Client) => Client {
  const { registry, clock, host } = options;
  const requests = registry.counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server.',
    stability: 'ALPHA',
    labels: ['code', 'host', 'method'],
  });
  const seconds = registry.histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Seconds that requests to the API server took.',
    stability: 'ALPHA',
    labels: ['host', 'verb'],
    buckets,
  });
  const counted = async <T>(method: string, work: Promise<T>): Promise<T> => {
    const startMs = clock.monotonicMs();
    const count = (code: string): void => {
      requests.with(code, host, method).value += 1;
    };
    try {
      const answer = await work;
      count(method === 'POST' ? '201' : '200');
      return answer;
    } catch (error) {
      count(error instanceof ApiStatusError ? String(error.httpCode) : '<error>');
      throw error;
    } finally {
      seconds.with(host, method).observe((clock.monotonicMs() - startMs) / 1000);
    }
  };
  return (client) => ({
    get: (...args) => counted('GET', client.get(...args)),
    list: (...args) => counted('GET', client.list(...args)),
    watch(...args) {
      requests.with('200', host, 'GET').value += 1;
      return client.watch(...args);
    },
    create: (...args) => counted('POST', client.create(...args)),
    update: (...args) => counted('PUT', client.update(...args)),
    patch: (...args) => counted('PATCH', client.patch(...args)),
    delete: (...args) => counted('DELETE', client.delete(...args)),
    deleteCollection: (...args) => counted('DELETE', client.deleteCollection(...args)),
    raw: (request) => counted(request.method, client.raw(request)),
  });
}
