import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { request } from 'node:https';
import { after, before, test } from 'node:test';

import { readControllerManagerArgs, readSchedulerArgs } from '#server/component-args/mod.ts';
import { startTestApi } from './server.ts';
import type { Identity, TestApi } from './server.ts';

let api: TestApi;
let schedulerPort: number;
let managerPort: number;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

before(async () => {
  schedulerPort = await freePort();
  managerPort = await freePort();
  api = await startTestApi({
    schedulerArgs: readSchedulerArgs([`secure-port=${schedulerPort}`]),
    controllerManagerArgs: readControllerManagerArgs([`secure-port=${managerPort}`]),
  });
});
after(() => api.close());

interface Caller {
  readonly as?: Identity;
  readonly token?: string;
}

async function get(
  port: number,
  path: string,
  { as, token }: Caller = {},
): Promise<{ status: number; text: string }> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return await new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port, path, ca: api.ca, headers, agent: false, ...as },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
      },
    );
    call.on('error', reject);
    call.end();
  });
}

test('health of both components is open to everybody, check by check', async () => {
  for (const path of ['/healthz', '/livez', '/readyz']) {
    assert.deepEqual(await get(schedulerPort, path), { status: 200, text: 'ok' });
    assert.deepEqual(await get(managerPort, path), { status: 200, text: 'ok' });
  }
  const ready = await get(schedulerPort, '/readyz?verbose');
  assert.equal(
    ready.text,
    '[+]ping ok\n[+]shutdown ok\n[+]informer-sync ok\n[+]sched-handler-sync ok\nreadyz check passed\n',
  );
  const single = await get(schedulerPort, '/livez/leaderElection', { as: api.admin });
  assert.deepEqual(single, { status: 200, text: 'ok' });
});

test('metrics and configuration are for those who may read them', async () => {
  const refused = await get(schedulerPort, '/metrics');
  assert.equal(refused.status, 403);
  assert.deepEqual(JSON.parse(refused.text), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'forbidden: User "system:anonymous" cannot get path "/metrics"',
    reason: 'Forbidden',
    details: {},
    code: 403,
  });
  assert.equal((await get(managerPort, '/metrics', { token: 'nonsense' })).status, 401);
  const metrics = await get(schedulerPort, '/metrics', { as: api.admin });
  assert.equal(metrics.status, 200);
  assert.match(metrics.text, /^scheduler_pending_pods\{queue="active"\} 0$/m);
  const resources = await get(schedulerPort, '/metrics/resources', { as: api.admin });
  assert.equal(resources.status, 200);
  const config = JSON.parse((await get(schedulerPort, '/configz', { as: api.admin })).text);
  assert.equal(config['kubescheduler.config.k8s.io'].podMaxBackoffSeconds, 10);
  const manager = JSON.parse((await get(managerPort, '/configz', { as: api.admin })).text);
  assert.equal(
    manager['kubecontrollermanager.config.k8s.io'].PodGCController.TerminatedPodGCThreshold,
    12_500,
  );
  assert.equal((await get(managerPort, '/api', { as: api.admin })).status, 404);
});

test('a service account with the right reads metrics by its token', async () => {
  const made = [
    ['create', 'serviceaccount', 'scraper'],
    ['create', 'clusterrole', 'scraper', '--verb=get', '--non-resource-url=/metrics'],
    [
      'create',
      'clusterrolebinding',
      'scraper',
      '--clusterrole=scraper',
      '--serviceaccount=default:scraper',
    ],
  ];
  for (const args of made) assert.equal((await api.kubectl(args)).code, 0);
  const token = (await api.kubectl(['create', 'token', 'scraper'])).stdout.trim();
  for (let tries = 0; ; tries++) {
    const answer = await get(managerPort, '/metrics', { token });
    if (answer.status === 200) break;
    assert.ok(tries < 600, answer.text);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal((await get(managerPort, '/configz', { token })).status, 403);
});
