import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { http, https } from '#base/node-http.ts';
import { readYaml } from '#schema/mod.ts';
import type { Pod, PodList } from '#schema/types.ts';
import { asStaticPod } from './static-pods.ts';
import type { StaticPodSource } from './static-pods.ts';

const timeoutMs = 10_000;
const maxBodyBytes = 10 * 1024 * 1024;

/**
 * Static pods from a URL that answers a Pod or a PodList, in YAML or JSON. `onPods` is called with
 * all of them when the answer changed; while there is none, those known stay.
 */
export function createManifestUrlSource(options: {
  url: string;
  headers: Readonly<Record<string, readonly string[]>>;
  rereadMs: number;
  nodeName: string;
  clock: Clock;
  log: Logger;
  /** Fills in what the API server would; in place, on a fresh object. */
  applyDefaults: (pod: Pod) => void;
  onPods: (pods: readonly Pod[]) => void;
}): StaticPodSource {
  const { url, headers, rereadMs, clock, log } = options;
  let known: string | undefined;
  let lastProblem = '';

  const look = async (signal: AbortSignal): Promise<void> => {
    try {
      const text = await fetchText(url, headers, { clock, signal });
      if (text !== known) options.onPods(readPods(text, options));
      known = text;
      lastProblem = '';
    } catch (error) {
      const problem = messageOf(error);
      if (signal.aborted || problem === lastProblem) return;
      lastProblem = problem;
      log.warning('cannot read static pods', { url, error: problem });
    }
  };

  return {
    async run(signal) {
      while (!signal.aborted) {
        await look(signal);
        await clock.sleep(rereadMs, signal).catch(() => undefined);
      }
    },
  };
}

function readPods(
  text: string,
  options: {
    url: string;
    nodeName: string;
    clock: Clock;
    applyDefaults: (pod: Pod) => void;
  },
): Pod[] {
  const found = readYaml(text).value as Pod | PodList | null;
  const list = found?.kind === 'PodList' ? (found as PodList).items : [found as Pod];
  return list.map((pod) => {
    if (pod?.spec === undefined || (pod.kind ?? 'Pod') !== 'Pod') {
      throw new Error('the answer holds no Pod and no PodList');
    }
    options.applyDefaults(pod);
    return asStaticPod(pod, { ...options, source: 'http', path: options.url });
  });
}

function fetchText(
  url: string,
  headers: Readonly<Record<string, readonly string[]>>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const sent = request(url, { headers: copyOf(headers), agent: false, signal }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxBodyBytes)
          sent.destroy(new Error(`the answer has more than ${maxBodyBytes} bytes`));
      });
      answer.on('end', () => {
        const { statusCode = 0, statusMessage = '' } = answer;
        if (statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(new Error(`${url}: ${statusCode} ${statusMessage}`));
      });
      answer.on('error', reject);
    });
    const timer = clock.after(timeoutMs, () => sent.destroy(new Error(`${url}: timed out`)));
    sent.on('close', () => timer.cancel());
    sent.on('error', reject);
    sent.end();
  });
}

function copyOf(headers: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]));
}
