import type { IncomingMessage } from 'node:http';
import type { KubeletServerOptions } from './server-options.ts';

/** Requests that last as long as their client wants. */
const longRunning = new Set(['exec', 'attach', 'portForward', 'debug']);
const others =
  'checkpoint configz containerLogs healthz localVolume logs metrics pods run runningpods stats';
const known = new Set([...longRunning, ...others.split(' ')]);
const metricsPaths = new Set(['cadvisor', 'probes', 'resource']);

/** Counts a request that begins; the answer is to be called once when it ends. */
export function countRequest(
  { kubelet, clock }: Pick<KubeletServerOptions, 'kubelet' | 'clock'>,
  { url = '', method = '' }: IncomingMessage,
): () => void {
  const { metrics } = kubelet;
  if (metrics === undefined) return () => undefined;
  const [, first = '', second = ''] = (url.split('?')[0] ?? '').split('/');
  const name = known.has(first) ? first : 'other';
  const path = name === 'metrics' && metricsPaths.has(second) ? `metrics/${second}` : name;
  const isLong =
    longRunning.has(name) || (name === 'containerLogs' && /[?&]follow=(?:true|1)\b/.test(url));
  const labels = [String(isLong), method, path, 'readwrite'];
  const startMs = clock.monotonicMs();
  metrics.httpRequests.with(...labels).value += 1;
  metrics.httpInFlight.with(...labels).value += 1;
  return () => {
    metrics.httpInFlight.with(...labels).value -= 1;
    metrics.httpDuration.with(...labels).observe((clock.monotonicMs() - startMs) / 1000);
  };
}
