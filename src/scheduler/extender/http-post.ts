import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { http, https } from '#base/node-http.ts';
import type { ExtenderConfiguration } from '../config/mod.ts';

const maxAnswerBytes = 64 * 1024 * 1024;

/** Posts JSON to a verb of the extender and reads JSON; rejects for anything but 200. */
export type HttpPost = (verb: string, body: unknown) => Promise<unknown>;

/** Connections are kept; enableHTTPS without an authority trusts everybody, as upstream. */
export function createHttpPost(configuration: ExtenderConfiguration, clock: Clock): HttpPost {
  const { urlPrefix, enableHTTPS, tlsConfig, httpTimeoutMs } = configuration;
  const base = new URL(urlPrefix);
  if (enableHTTPS) base.protocol = 'https:';
  const isTls = base.protocol === 'https:';
  const isInsecure = tlsConfig?.insecure === true || (enableHTTPS && tlsConfig?.ca === undefined);
  const agent = isTls
    ? new https.Agent({
        keepAlive: true,
        ca: tlsConfig?.ca,
        cert: tlsConfig?.cert,
        key: tlsConfig?.key,
        servername: tlsConfig?.serverName,
        rejectUnauthorized: !isInsecure,
      })
    : new http.Agent({ keepAlive: true });
  const send = (url: URL, options: RequestOptions): ClientRequest =>
    isTls ? https.request(url, options) : http.request(url, options);

  return async (verb, body) => {
    const url = new URL(`${base.href.replace(/\/+$/, '')}/${verb}`);
    const bytes = Buffer.from(JSON.stringify(body));
    const headers = { 'Content-Type': 'application/json', 'Content-Length': bytes.length };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const request = send(url, { agent, method: 'POST', headers });
    const timer = clock.after(httpTimeoutMs, () =>
      request.destroy(new K3tsError('Timeout', `no answer in ${httpTimeoutMs} ms`)),
    );
    request.once('error', reject);
    request.once('response', (response) => {
      readAnswer(response)
        .then((text) => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else {
            const code = response.statusCode ?? 0;
            reject(
              new K3tsError(
                'Internal',
                `failed ${verb} with extender at URL ${url.href}, code ${code}`,
              ),
            );
          }
        })
        .catch(reject);
    });
    request.end(bytes);
    try {
      return await promise;
    } catch (error) {
      if (error instanceof K3tsError && error.code === 'Internal') throw error;
      throw new K3tsError('Internal', `Post "${url.href}": ${messageOf(error)}`, { cause: error });
    } finally {
      timer.cancel();
    }
  };
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > maxAnswerBytes) {
      throw new K3tsError(
        'Internal',
        `the extender's answer is larger than ${maxAnswerBytes} bytes`,
      );
    }
  }
  return Buffer.concat(chunks).toString();
}
