import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import net from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import type { Container, HTTPGetAction, Probe } from '#schema/types.ts';
import { createFakeCri } from '../cri/fake-cri.ts';
import { CriError, grpcCodes } from '../cri/mod.ts';
import type { RuntimeService } from '../cri/mod.ts';
import { httpGet } from './http-get.ts';
import { runProbe } from './prober.ts';

async function listening(context: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function probe(
  spec: Probe,
  more: {
    container?: Partial<Container>;
    clock?: FakeClock;
    exec?: RuntimeService['execSync'];
  } = {},
): Promise<string> {
  const { container = {}, clock = new FakeClock(), exec } = more;
  const { runtime } = createFakeCri({ clock });
  const target = { container: { name: 'c', ...container }, containerId: 'id', podIp: '127.0.0.1' };
  const { signal } = new AbortController();
  const options = { runtime: exec === undefined ? runtime : { ...runtime, execSync: exec }, clock };
  const { result, output } = await runProbe(spec, target, { ...options, signal });
  return `${result} ${output}`;
}

test('HTTP probes pass from 200 to 399 and follow redirects on the same host only', async (context) => {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const [, code = '200', location = ''] = /^\/(\d+)(?:\?to=(.*))?/.exec(request.url ?? '') ?? [];
    response.writeHead(Number(code), location === '' ? {} : { location }).end(`body ${code}`);
  };
  const port = await listening(context, createServer(answer));
  const get = (path: string): Promise<string> => probe({ httpGet: { port, path } });
  assert.equal(await get('/200'), 'Success body 200');
  assert.equal(await get('/302'), 'Success body 302');
  assert.equal(await get('/302?to=/200'), 'Success body 200');
  assert.equal(await get('/302?to=/500'), 'Failure HTTP probe failed with statuscode: 500');
  assert.equal(await get('/404'), 'Failure HTTP probe failed with statuscode: 404');
  assert.equal(
    await get('/302?to=http://elsewhere.test/x'),
    'Warning Probe terminated redirects, Response body: body 302',
  );
  assert.match(await get(`/302?to=/302`), /^Success/);
});

test('HTTP probes send the given headers and those of upstream', async (context) => {
  let seen: string[] = [];
  const port = await listening(
    context,
    createServer((request, response) => {
      seen = request.rawHeaders;
      response.end();
    }),
  );
  const headersOf = async (httpHeaders: HTTPGetAction['httpHeaders']): Promise<string[]> => {
    await probe(
      { httpGet: { port: 'web', path: 'x', httpHeaders } },
      {
        container: { ports: [{ name: 'web', containerPort: port }] },
      },
    );
    return seen.flatMap((name, index) =>
      index % 2 === 0 ? [`${name}: ${seen[index + 1] ?? ''}`] : [],
    );
  };
  assert.deepEqual(await headersOf(undefined), [
    'User-Agent: kube-probe/1.36',
    'Accept: */*',
    'Connection: close',
    `Host: 127.0.0.1:${port}`,
  ]);
  const own = [
    { name: 'host', value: 'app.test' },
    { name: 'x-TWICE', value: '1' },
    { name: 'X-Twice', value: '2' },
    { name: 'Accept', value: '' },
    { name: 'user-agent', value: 'me' },
  ];
  const sent = await headersOf(own);
  for (const line of ['Host: app.test', 'X-Twice: 1', 'X-Twice: 2', 'User-Agent: me']) {
    assert.ok(sent.includes(line), `${line} is not in ${sent.join(', ')}`);
  }
  assert.equal(
    sent.some((line) => /^(accept|host: 127)/i.test(line)),
    false,
  );
});

test('failures of the network are told in the words of Go, with the port', async (context) => {
  const hangUp = await listening(
    context,
    net.createServer((socket) => socket.destroy()),
  );
  const plain = await listening(
    context,
    createServer((_request, response) => void response.end()),
  );
  const table: [Probe, string][] = [
    [
      { httpGet: { port: 1, path: '/a?b=c' } },
      'Failure Get "http://127.0.0.1:1/a?b=c": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [
      { httpGet: { port: plain, path: '/', scheme: 'HTTPS' } },
      `Failure Get "https://127.0.0.1:${plain}/": http: server gave HTTP response to HTTPS client`,
    ],
    [{ tcpSocket: { port: 1 } }, 'Failure dial tcp 127.0.0.1:1: connect: connection refused'],
    [{ tcpSocket: { port: hangUp } }, 'Success '],
    [{ httpGet: { port: 'none' } }, `Unknown couldn't find port: "none" in container`],
    [{ tcpSocket: { port: 70_000 } }, 'Unknown invalid port number: 70000'],
    [{}, 'Unknown missing probe handler for c'],
  ];
  for (const [spec, expected] of table) assert.equal(await probe(spec), expected);
  const hung = await probe({ httpGet: { port: hangUp, path: '/' } });
  assert.match(hung, /^Failure Get "http:\/\/127\.0\.0\.1:\d+\/": (EOF|read tcp .*reset by peer)$/);
  // The port of the scheme is shown, too.
  await assert.rejects(
    httpGet({
      action: { port: 80 },
      url: new URL('http://127.0.0.1:80/'),
      userAgent: 'x',
      signal: AbortSignal.abort(),
    }),
    { message: /^Get "http:\/\/127\.0\.0\.1:80\/": / },
  );
});

test('a server that does not answer in time fails its probe', async (context) => {
  const clock = new FakeClock();
  const asked = Promise.withResolvers<void>();
  const port = await listening(
    context,
    createServer(() => asked.resolve()),
  );
  const probing = probe({ httpGet: { port, path: '/' }, timeoutSeconds: 3 }, { clock });
  await asked.promise;
  await clock.advance(3_000);
  assert.equal(
    await probing,
    `Failure Get "http://127.0.0.1:${port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  );
});

test('commands pass by their exit code; what they wrote is cut at 10 KiB', async () => {
  const answer =
    (exitCode: number, text = 'out'): RuntimeService['execSync'] =>
    async () => ({ exitCode, stdout: Buffer.from(text), stderr: Buffer.from('err') });
  const spec = (command: string[]): Probe => ({ exec: { command }, timeoutSeconds: 2 });
  assert.equal(await probe(spec(['a']), { exec: answer(0) }), 'Success outerr');
  assert.equal(await probe(spec(['a']), { exec: answer(1) }), 'Failure outerr');
  const long = await probe(spec(['a']), { exec: answer(1, 'x'.repeat(20_000)) });
  assert.equal(long.length, 'Failure '.length + 10 * 1024);
  const fail =
    (grpcCode: number, details: string): RuntimeService['execSync'] =>
    () =>
      Promise.reject(new CriError({ rpc: 'ExecSync', grpcCode, details }));
  assert.equal(
    await probe(spec(['sh', '-c', 'sleep 9']), { exec: fail(grpcCodes.deadlineExceeded, 'late') }),
    'Failure command timed out: "sh -c sleep 9" timed out after 2s',
  );
  assert.equal(
    await probe(spec(['none']), { exec: fail(grpcCodes.unknown, 'no such file') }),
    'Unknown rpc error: code = Unknown desc = no such file',
  );
  const seen: (readonly string[])[] = [];
  const env = [
    { name: 'A', value: 'x' },
    { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
  ];
  await probe(spec(['$(A)', '$(B)']), {
    container: { env },
    exec: async (_id, command) => {
      seen.push(command);
      return { exitCode: 0, stdout: Buffer.of(), stderr: Buffer.of() };
    },
  });
  assert.deepEqual(seen, [['x', '$(B)']]);
});

/** A server of grpc.health.v1.Health that knows the services it is given. */
async function healthServer(context: TestContext, known: Record<string, number>): Promise<number> {
  const { Server, ServerCredentials } = await import('@grpc/grpc-js');
  const server = new Server();
  server.addService(
    {
      Check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString() }),
        responseSerialize: (status: number) => Buffer.of(8, status),
        responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
      },
    },
    {
      Check: (
        { request }: { request: { service: string } },
        respond: (error: object | null, status?: number) => void,
      ) => {
        const status = known[request.service];
        if (status === undefined) respond({ code: 5, details: 'unknown service' });
        else respond(null, status);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  context.after(() => server.forceShutdown());
  return port;
}

test('gRPC probes ask the health service', async (context) => {
  const port = await healthServer(context, { '': 1, sick: 2 });
  const other = new (await import('@grpc/grpc-js')).Server();
  const { ServerCredentials } = await import('@grpc/grpc-js');
  const without = await new Promise<number>((resolve) => {
    other.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) =>
      resolve(bound),
    );
  });
  context.after(() => other.forceShutdown());
  const { systemClock } = await import('#base/clock.ts');
  const ask = async (to: number, service?: string): Promise<string> => {
    const { runtime } = createFakeCri({ clock: systemClock });
    const target = { container: { name: 'c' }, containerId: 'id', podIp: '127.0.0.1' };
    const { signal } = new AbortController();
    const spec = { grpc: { port: to, service }, timeoutSeconds: 20 };
    const outcome = await runProbe(spec, target, { runtime, clock: systemClock, signal });
    return `${outcome.result} ${outcome.output}`;
  };
  assert.equal(await ask(port), 'Success service healthy');
  assert.equal(await ask(port, 'sick'), 'Failure service unhealthy (responded with "NOT_SERVING")');
  assert.equal(
    await ask(port, 'none'),
    'Failure error: health rpc probe failed: rpc error: code = NotFound desc = unknown service',
  );
  assert.match(
    await ask(without),
    /^Failure error: this server does not implement the grpc health protocol \(grpc\.health\.v1\.Health\): /,
  );
  assert.match(
    await ask(1),
    /^Failure timeout: failed to connect service "127\.0\.0\.1:1" within 20s: /,
  );
});
