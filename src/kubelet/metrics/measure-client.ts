import { ApiStatusError } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import type { Client } from '#client/mod.ts';
import type { KubeletMetrics } from './kubelet-metrics.ts';

/** The client with its requests counted and timed; watches are counted when they begin. */
export function measureClient(
  client: Client,
  { metrics, clock, host }: { metrics: KubeletMetrics; clock: Clock; host: string },
): Client {
  const counted = async <T>(method: string, work: Promise<T>): Promise<T> => {
    const startMs = clock.monotonicMs();
    const count = (code: string): void => {
      metrics.clientRequests.with(code, host, method).value += 1;
    };
    try {
      const answer = await work;
      count(method === 'POST' ? '201' : '200');
      return answer;
    } catch (error) {
      count(error instanceof ApiStatusError ? String(error.httpCode) : '<error>');
      throw error;
    } finally {
      metrics.clientDuration.with(host, method).observe((clock.monotonicMs() - startMs) / 1000);
    }
  };
  return {
    get: (...args) => counted('GET', client.get(...args)),
    list: (...args) => counted('GET', client.list(...args)),
    watch(...args) {
      metrics.clientRequests.with('200', host, 'GET').value += 1;
      return client.watch(...args);
    },
    create: (...args) => counted('POST', client.create(...args)),
    update: (...args) => counted('PUT', client.update(...args)),
    patch: (...args) => counted('PATCH', client.patch(...args)),
    delete: (...args) => counted('DELETE', client.delete(...args)),
    deleteCollection: (...args) => counted('DELETE', client.deleteCollection(...args)),
    raw: (request) => counted(request.method, client.raw(request)),
  };
}
