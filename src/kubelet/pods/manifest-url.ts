import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { http, https } from '#base/node-http.ts';
import type { Pod } from '#schema/types.ts';
import { NoPodError, readPodListManifest, readPodManifest } from './static-pod-manifest.ts';
import type { ManifestOrigin } from './static-pod-manifest.ts';
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
  onPods: (pods: readonly Pod[]) => void;
}): StaticPodSource {
  const { url, headers, rereadMs, nodeName, clock, log } = options;
  const origin: ManifestOrigin = { source: 'http', path: url, nodeName, clock };
  let known: string | undefined;
  let lastProblem = '';

  const look = async (signal: AbortSignal): Promise<void> => {
    try {
      const text = await fetchText(url, headers, { clock, signal });
      if (text === known) return;
      known = undefined;
      if (text === '') {
        // Nothing is an answer, too: there shall be no pods.
        options.onPods([]);
        throw new Error(`zero-length data received from ${url}`);
      }
      options.onPods(await readPods(text, origin));
      known = text;
      lastProblem = '';
    } catch (error) {
      const problem = messageOf(error);
      if (signal.aborted || problem === lastProblem) return;
      lastProblem = problem;
      log.error('Failed to read pods from URL', { url, error: problem });
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

/** One pod, or else a list of them. */
async function readPods(text: string, origin: ManifestOrigin): Promise<Pod[]> {
  let single: NoPodError;
  try {
    return [await readPodManifest(text, origin)];
  } catch (error) {
    if (!(error instanceof NoPodError)) throw error;
    single = error;
  }
  try {
    return await readPodListManifest(text, origin);
  } catch (error) {
    if (!(error instanceof NoPodError)) throw error;
    throw new Error(
      `${origin.path}: received '${text}', but couldn't parse as single (${single.message}) or multiple pods (${error.message})`,
      { cause: error },
    );
  }
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
