/** What people do with kubectl on workloads: edit, scale, roll out and back, look at what happened. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { CommandAnswer, KubectlOptions, TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const manifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "nginx:1", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;
let api: TestApi;
let file = '';

before(async () => {
  api = await startTestApi();
  file = join(api.dataDir, 'web.yaml');
  await writeFile(file, manifest);
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await api.until(account, ({ status }) => status === 200);
});

after(() => api.close());

/** Output of a command that has to succeed. */
async function run(line: string, options: KubectlOptions = {}): Promise<string> {
  const answer = await attempt(line, options);
  assert.equal(answer.code, 0, `${line}: ${answer.stderr}`);
  return answer.stdout;
}

async function attempt(line: string, options: KubectlOptions = {}): Promise<CommandAnswer> {
  return await api.kubectl(line.split(' '), options);
}

test('applying again changes nothing, on either side', async () => {
  assert.equal(await run(`apply -f ${file}`), 'deployment.apps/web created\nservice/web created\n');
  assert.equal(
    await run(`apply -f ${file}`),
    'deployment.apps/web unchanged\nservice/web unchanged\n',
  );
  const path = '/apis/apps/v1/namespaces/default/deployments/web';
  const live = await api.until(path, ({ text }) => text.includes('kubernetes.io/revision'));
  assert.equal(live.at('metadata.generation'), 1);
  assert.equal(await run(`diff -f ${file}`), '');
  const version = 'get deploy web -o jsonpath={.metadata.generation}';
  await run(`apply --server-side --force-conflicts -f ${file}`);
  const before = await run(version);
  await run(`apply --server-side -f ${file}`);
  assert.equal(await run(version), before);
  assert.equal(await run(`diff --server-side -f ${file}`), '');
});

test('edit, scale, patch and set image change what they say', async () => {
  const replicas = 'get deploy web -o jsonpath={.spec.replicas}';
  const edited = await run('edit deploy web', {
    env: { EDITOR: 'sed -i s/replicas:.2/replicas:\\ 3/' },
  });
  assert.equal(edited, 'deployment.apps/web edited\n');
  assert.equal(await run(replicas), '3');
  await run('scale deploy web --replicas=1');
  assert.equal(await run(replicas), '1');
  const wrong = await attempt('scale deploy web --replicas=2 --current-replicas=5');
  assert.match(wrong.stderr, /Expected replicas to be 5, was 1/);
  assert.equal(
    await run('patch deploy web -p {"spec":{"replicas":1}}'),
    'deployment.apps/web patched (no change)\n',
  );
  const failed = await attempt(
    'patch deploy web --type json -p [{"op":"test","path":"/spec/replicas","value":9}]',
  );
  assert.match(failed.stderr, /^The request is invalid: the server rejected our request/);
  await run('set image deploy/web c=nginx:2');
});

test('a rollout has a history, can be undone, paused and restarted', async () => {
  const history = '/apis/apps/v1/namespaces/default/replicasets';
  await api.until(history, (answer) => (answer.at('items') as unknown[]).length === 2);
  assert.match(await run('rollout history deploy/web'), /\n1 +<none>\n2 +<none>\n/);
  assert.match(await run('rollout undo deploy/web'), /rolled back/);
  assert.equal(
    await run('get deploy web -o jsonpath={.spec.template.spec.containers[0].image}'),
    'nginx:1',
  );
  for (const verb of ['restart', 'pause', 'resume']) await run(`rollout ${verb} deploy/web`);
  const late = await attempt('rollout status deploy/web --timeout=1s');
  assert.match(late.stderr, /timed out waiting for the condition/);
});

test('describe and events tell what happened', async () => {
  const text = await run('describe deploy web');
  assert.match(text, /ScalingReplicaSet +\S+ +(\(x\d+ over \S+\) +)?deployment-controller/);
  const events = await run('get events --field-selector=reason=ScalingReplicaSet');
  assert.match(events, /Normal +ScalingReplicaSet +deployment\/web/);
  assert.match(await run('events'), /Deployment\/web/);
});

test('who am I, and what may I do', async () => {
  assert.match(await run('auth whoami'), /Username +system:admin\nGroups +\[system:masters /);
  assert.match(await run('auth can-i --list'), /^\*\.\* +\[\] +\[\] +\[\*\]$/m);
  const jane = await attempt('auth can-i create pods --as jane');
  assert.deepEqual([jane.code, jane.stdout], [1, 'no\n']);
  assert.match(await run('get --raw /readyz?verbose'), /readyz check passed/);
});

test('objects made by generators are taken', async () => {
  const lines = [
    'create secret generic s --from-literal=a=b',
    'create sa robot',
    'create role r --verb=get --resource=pods',
    'create rolebinding rb --role=r --serviceaccount=default:robot',
    'create job j --image=i',
    'create ingress ing --rule=foo/*=web:80',
    'create pdb p --selector=app=web --min-available=1',
    'create priorityclass pc --value=5',
    'autoscale deploy web --max=3',
    'expose deploy web --name=w2 --port=90',
    'expose deploy web --name=w3 --port=90 --cluster-ip=None',
  ];
  for (const line of lines) await run(line);
  assert.equal(await run('auth can-i get pods --as system:serviceaccount:default:robot'), 'yes\n');
  assert.match(await run('explain hpa --api-version=autoscaling/v1'), /VERSION: +v1/);
  await run('delete deploy web --cascade=foreground --timeout=60s');
});
