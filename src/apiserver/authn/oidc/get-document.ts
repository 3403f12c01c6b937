import type { Clock } from '#base/clock.ts';
import { http, https } from '#base/node-http.ts';

const fetchTimeoutMs = 30_000;
const maxDocumentBytes = 1024 * 1024;

/** Fetches what an issuer publishes, 1 MiB and 30 seconds at most; throws when there is no answer. */
export async function getDocument(
  url: string,
  options: {
    /** PEM; the system's authorities when absent. */
    readonly authority?: string | undefined;
    readonly clock: Clock;
    /** Sent as the bearer. */
    readonly accessToken?: string | undefined;
  },
): Promise<{ status: number; body: string }> {
  const { authority, clock, accessToken = '' } = options;
  const target = new URL(url);
  const end = new AbortController();
  const timer = clock.after(fetchTimeoutMs, () => end.abort());
  const headers = {
    Accept: 'application/json',
    ...(accessToken === '' ? {} : { Authorization: `Bearer ${accessToken}` }),
  };
  try {
    return await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const how = { signal: end.signal, headers };
      const request =
        target.protocol === 'http:'
          ? http.get(target, how)
          : https.get(target, { ...how, ...(authority === undefined ? {} : { ca: authority }) });
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > maxDocumentBytes) request.destroy(new Error('the document is too long'));
        });
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
    });
  } finally {
    timer.cancel();
  }
}
