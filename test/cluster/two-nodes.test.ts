/** A server and an agent on machines of their own: joining, and pods of both under one Service. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { fixtures } from '../fixtures/images.ts';
import { createLab, labProblem, startNode } from '../harness/mod.ts';
import type { Lab, TestNode } from '../harness/mod.ts';

const skip = await labProblem();
let lab: Lab;
let server: TestNode;
let agent: TestNode;
let images: string[];

before(async () => {
  if (skip !== false) return;
  images = [await fixtures.web()];
  lab = await createLab();
  server = await startNode({ lab, images });
  await server.waitReady();
});
after(async () => {
  if (skip === false) await lab.close();
});

const launcher = join(import.meta.dirname, '../../bin/k3ts');
const url = (): string => `https://${server.address}:6443`;

test('an agent with a wrong token ends with what to do', { skip }, async () => {
  agent = await startNode({ lab, images, isStopped: true });
  const line = `${launcher} agent --server ${url()} --token nope; echo exit code $? >&2`;
  const { stderr } = await agent.run('sh', ['-c', line]);
  assert.match(stderr, /^k3ts: the server refused the token .*: take it from server\/node-token/m);
  assert.match(stderr, /exit code 1$/m);
});

test('an agent joins with the token of the server and becomes Ready', { skip }, async () => {
  const token = (await server.run('cat', ['/var/lib/rancher/k3s/server/node-token'])).stdout.trim();
  await agent.restart(['agent', '--server', url(), '--token', token, '--node-label', 'room=attic']);
  const name = agent.machine.name;
  await server.waitFor('the second node', async () => {
    const text = await server.kubectl(['get', 'node', name, '--no-headers']);
    return / Ready /.test(text);
  });
  const labels = await server.kubectl(['get', 'node', name, '-o', 'jsonpath={.metadata.labels}']);
  assert.equal((JSON.parse(labels) as Record<string, string>)['room'], 'attic');
});

test('pods of both nodes answer each other and under one Service', { skip }, async () => {
  await server.kubectl([
    'create',
    'deployment',
    'web',
    '--image=docker.io/test/web:1',
    '--replicas=4',
  ]);
  await server.kubectl(['rollout', 'status', 'deployment/web', '--timeout=100s']);
  await server.kubectl(['expose', 'deployment', 'web', '--port=80']);
  const rows = (
    await server.kubectl([
      'get',
      'pods',
      '-l',
      'app=web',
      '-o',
      'jsonpath={range .items[*]}{.metadata.name} {.status.podIP} {.spec.nodeName}{"\\n"}{end}',
    ])
  )
    .trim()
    .split('\n')
    .map((row) => row.split(' '));
  assert.equal(new Set(rows.map(([, , node]) => node)).size, 2, 'pods are on both nodes');
  const ask = async (from: TestNode, address: string): Promise<string> =>
    (await from.run('timeout', ['3', 'wget', '-qO-', `http://${address}`])).stdout.trim();
  for (const [name, ip] of rows) {
    for (const from of [server, agent]) {
      await server.waitFor(
        `${ip} to answer`,
        async () => (await ask(from, ip ?? '')) === name,
        60_000,
      );
    }
  }
  const service = await server.kubectl([
    'get',
    'service',
    'web',
    '-o',
    'jsonpath={.spec.clusterIP}',
  ]);
  const answered = new Set<string>();
  await server.waitFor('all replicas to answer under the Service', async () => {
    answered.add(await ask(agent, service));
    return answered.size === rows.length;
  });
});

test('logs and commands reach pods of the other node', { skip }, async () => {
  const [name = ''] = (
    await server.kubectl([
      'get',
      'pods',
      '-l',
      'app=web',
      '--field-selector',
      `spec.nodeName=${agent.machine.name}`,
      '-o',
      'jsonpath={.items[*].metadata.name}',
    ])
  ).split(' ');
  assert.equal((await server.kubectl(['exec', name, '--', 'hostname'])).trim(), name);
});
