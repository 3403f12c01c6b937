import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { WebhookCallError } from './call-error.ts';
import { createServiceResolver } from './service-resolver.ts';
import { startFakeWebhook } from './testing/mod.ts';
import type { FakeWebhook, FakeWebhookRequest } from './testing/mod.ts';
import type { WebhookClient, WebhookCredentials } from './webhook-client.ts';
import { createWebhookClient } from './webhook-client.ts';

const reader = new FakeObjectReader();
const resolver = createServiceResolver({ reader, random: seededRandom(1) });
const timeoutMs = 10_000;
let webhook: FakeWebhook;
let client: WebhookClient;
let credentials: WebhookCredentials | undefined;
let respond: Parameters<typeof startFakeWebhook>[0];

function putService(name: string, addresses: string[], port = webhook.port): void {
  reader.put(resources.services, {
    metadata: { name, namespace: 'ns' },
    spec: { type: 'ClusterIP', ports: [{ name: 'web', port: 443 }] },
  } as never);
  reader.put(resources.endpointSlices, {
    metadata: { name, namespace: 'ns', labels: { 'kubernetes.io/service-name': name } },
    ports: [{ name: 'web', port }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  } as never);
}

async function messageFrom(pending: Promise<unknown>): Promise<string> {
  try {
    await pending;
  } catch (error) {
    assert.ok(error instanceof WebhookCallError, String(error));
    return error.message;
  }
  assert.fail('the call succeeded');
}

describe('webhook client', () => {
  before(async () => {
    webhook = await startFakeWebhook(
      (request, response) => respond(request, response),
      ['hook.ns.svc'],
    );
    client = createWebhookClient({
      clock: systemClock,
      log: silentLogger,
      resolver,
      credentials: () => credentials,
    });
  });
  after(async () => {
    client.close();
    await webhook.close();
  });
  beforeEach(() => {
    webhook.calls.length = 0;
    credentials = undefined;
    respond = () => ({ ok: true });
  });

  test('posts JSON to a URL with the time limit in the query and answers the parsed body', async () => {
    const { caBundle, url } = webhook;
    const config = { url: `${url}/a/b`, caBundle };
    assert.deepEqual(await client.call(config, { x: 1 }, { timeoutMs }), { ok: true });
    const [call] = webhook.calls as [FakeWebhookRequest];
    assert.equal(call.path, '/a/b?timeout=10s');
    assert.deepEqual(call.body, { x: 1 });
    assert.equal(call.headers['content-type'], 'application/json');
  });

  test('keeps the connection for the next call and survives its end', async () => {
    const config = { url: webhook.url, caBundle: webhook.caBundle };
    await client.call(config, {}, { timeoutMs });
    const before = webhook.connections;
    await client.call(config, '{"as":"text"}', { timeoutMs });
    assert.equal(webhook.connections, before);
    webhook.cut();
    await client.call(config, {}, { timeoutMs });
    assert.equal(webhook.connections, before + 1);
  });

  test('dials a ready endpoint of a Service under the name of the Service', async () => {
    putService('hook', ['127.0.0.1']);
    const service = { namespace: 'ns', name: 'hook', path: 'review' };
    await client.call({ service, caBundle: webhook.caBundle }, {}, { timeoutMs });
    const [call] = webhook.calls as [FakeWebhookRequest];
    assert.equal(call.headers.host, 'hook.ns.svc');
    assert.equal(call.path, '/review?timeout=10s');
  });

  test('sends the credentials of the kubeconfig', async () => {
    const config = { url: webhook.url, caBundle: webhook.caBundle };
    credentials = { token: 'secret' };
    await client.call(config, {}, { timeoutMs });
    credentials = { username: 'u', password: 'p' };
    await client.call(config, {}, { timeoutMs });
    const sent = webhook.calls.map((call) => call.headers.authorization);
    assert.deepEqual(sent, ['Bearer secret', 'Basic dTpw']);
  });

  test('says what upstream says when nobody can be reached', async () => {
    const { caBundle } = webhook;
    putService('empty', []);
    putService('other', ['127.0.0.1']);
    const closed = await startFakeWebhook(() => ({}));
    await closed.close();
    const service = (name: string) => ({ service: { namespace: 'ns', name }, caBundle });
    const post = (url: string) => `Post "${url}?timeout=10s": `;
    const cases: [Parameters<WebhookClient['call']>[0], string][] = [
      [service('gone'), `${post('https://gone.ns.svc:443/')}service "gone" not found`],
      [
        service('empty'),
        `${post('https://empty.ns.svc:443/')}no endpoints available for service "empty"`,
      ],
      [
        { service: { namespace: 'ns', name: 'empty', port: 80 } },
        `${post('https://empty.ns.svc:80/')}no service port 80 found for service "empty"`,
      ],
      [
        service('other'),
        `${post('https://other.ns.svc:443/')}tls: failed to verify certificate: x509: certificate is valid for hook.ns.svc, not other.ns.svc`,
      ],
      [
        { url: `${webhook.url}/` },
        `${post(`${webhook.url}/`)}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      ],
      [
        { url: `${closed.url}/`, caBundle },
        `${post(`${closed.url}/`)}dial tcp 127.0.0.1:${closed.port}: connect: connection refused`,
      ],
    ];
    for (const [config, text] of cases) {
      assert.equal(await messageFrom(client.call(config, {}, { timeoutMs })), text);
    }
  });

  test('ends a call at its time limit', async () => {
    const clock = new FakeClock();
    const slow = createWebhookClient({ clock, log: silentLogger, resolver });
    const asked = new Promise<void>((resolve) => {
      respond = () => resolve();
    });
    const config = { url: `${webhook.url}/slow`, caBundle: webhook.caBundle };
    const message = messageFrom(slow.call(config, {}, { timeoutMs: 1000 }));
    await asked;
    await clock.advance(1000);
    assert.equal(await message, `Post "${webhook.url}/slow?timeout=1s": context deadline exceeded`);
    assert.equal(clock.pendingTimers, 0);
    slow.close();
  });

  test('explains answers that are no success as client-go does', async () => {
    const config = { url: webhook.url, caBundle: webhook.caBundle };
    const cases: [number, string, string][] = [
      [404, 'gone', 'the server could not find the requested resource'],
      [500, 'boom', 'an error on the server ("boom") has prevented the request from succeeding'],
      [403, 'not you', 'not you'],
      [
        418,
        '',
        'the server responded with the status code 418 but did not return more information',
      ],
      [500, '{"kind":"Status","message":"in words"}', 'in words'],
      [
        200,
        'hello',
        `couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value`,
      ],
    ];
    for (const [code, body, text] of cases) {
      respond = (_request, response) => void response.writeHead(code).end(body);
      assert.equal(await messageFrom(client.call(config, {}, { timeoutMs })), text);
    }
  });

  test('refuses answers over 3 MiB', async () => {
    respond = (_request, response) => void response.end(' '.repeat(3 * 1024 * 1024 + 1));
    const config = { url: webhook.url, caBundle: webhook.caBundle };
    const message = await messageFrom(client.call(config, {}, { timeoutMs }));
    assert.equal(message, 'Response exceeds maximum size of 3145728 bytes');
  });
});
