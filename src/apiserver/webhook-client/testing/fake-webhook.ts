import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '#base/clock.ts';
import { https } from '#base/node-http.ts';
import { systemRandom } from '#base/random.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';

/** One call as the webhook saw it. */
export interface FakeWebhookRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface FakeWebhook {
  readonly url: string;
  readonly port: number;
  /** The authority in base64, as objects carry it. */
  readonly caBundle: string;
  /** Every call so far; tests may empty it. */
  readonly calls: FakeWebhookRequest[];
  /** Connections that were made so far. */
  readonly connections: number;
  /** Ends open connections without an answer, as a pod that goes away. */
  cut(): void;
  close(): Promise<void>;
}

/** What a test answers: a value as JSON, or the response is written by hand and nothing returned. */
export type FakeWebhookHandler = (request: FakeWebhookRequest, response: ServerResponse) => unknown;

/** Starts a webhook on 127.0.0.1 whose certificate is for that address and `names`. */
export async function startFakeWebhook(
  handle: FakeWebhookHandler,
  names: readonly string[] = [],
): Promise<FakeWebhook> {
  const nowMs = systemClock.now();
  const authority = await createAuthority({
    commonName: 'webhook-ca',
    keyPem: await createEcKey(),
    nowMs,
    serial: systemRandom.bytes(8),
  });
  const key = await createEcKey();
  const cert = await issueCertificate({
    authority,
    commonName: 'webhook',
    dnsNames: names,
    ipAddresses: ['127.0.0.1'],
    purposes: ['server'],
    key,
    nowMs,
    serial: systemRandom.bytes(8),
  });
  const calls: FakeWebhookRequest[] = [];
  let connections = 0;
  const server = https.createServer({ cert, key }, (incoming, response) => {
    void answer(incoming, response, calls, handle);
  });
  server.on('secureConnection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    caBundle: Buffer.from(authority.certificatePem).toString('base64'),
    calls,
    get connections() {
      return connections;
    },
    cut: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  calls: FakeWebhookRequest[],
  handle: FakeWebhookHandler,
): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece);
  const text = Buffer.concat(pieces).toString();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  const request = { path: incoming.url ?? '', headers: incoming.headers, body };
  calls.push(request);
  const value = await handle(request, response);
  if (value === undefined) return;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(value));
}
