import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import type { LifecycleHandler } from '#schema/types.ts';
import { createFakeCri } from '../cri/fake-cri.ts';
import { runLifecycleHook } from './lifecycle-hooks.ts';

const pod = { metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { containers: [] } };

async function run(handler: LifecycleHandler, exec?: { exitCode: number; output: string }) {
  const clock = new FakeClock();
  const cri = createFakeCri({ clock });
  if (exec !== undefined) cri.onExec = () => exec;
  const events: string[] = [];
  const target = { pod, container: { name: 'c' }, containerId: 'id', podIp: '127.0.0.1' };
  const error = await runLifecycleHook(handler, target, {
    runtime: cri.runtime,
    clock,
    events: {
      pod: (_pod, type, reason, message) => events.push(`${type} ${reason} ${message}`),
      container: () => undefined,
    },
    signal: new AbortController().signal,
  }).catch((reason: unknown) => reason as Error);
  return { message: error?.message, events };
}

test('hooks that fail say so in upstream words', async () => {
  const where = 'for Container "c" in Pod "p_ns(u)" failed - error:';
  const exec = await run({ exec: { command: ['a', 'b'] } }, { exitCode: 3, output: 'x' });
  assert.equal(
    exec.message,
    `Exec lifecycle hook ([a b]) ${where} command 'a b' exited with 3: x, message: "x"`,
  );
  const refused = await run({ httpGet: { path: '/x', port: 1 } });
  assert.equal(
    refused.message,
    `HTTP lifecycle hook (/x) ${where} Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused`,
  );
});

test('a tcpSocket hook always fails: the field is there for old manifests only', async () => {
  const { message } = await run({ tcpSocket: { port: 80 } });
  assert.match(message ?? '', /^Cannot run handler: invalid handler: /);
});

test('an HTTPS hook answered in plain HTTP is asked again without its authorization', async (context) => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url, request.headers.authorization, String(request.headers['x-more']));
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const httpHeaders = [
    { name: 'Authorization', value: 'Bearer t' },
    { name: 'X-More', value: 'more' },
  ];
  const { message, events } = await run({
    httpGet: { scheme: 'HTTPS', path: '/hook', port, httpHeaders },
  });
  assert.equal(message, undefined);
  assert.deepEqual(seen, ['/hook', undefined, 'more']);
  assert.deepEqual(events, [
    `Warning LifecycleHTTPFallback request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
  ]);
});
