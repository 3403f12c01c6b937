/** kubectl against a server without agent: what a user types at the API alone, and what it says. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { startTestApi, untilMs } from './server.ts';
import type { TestApi } from './server.ts';

let api: TestApi;
before(async () => void (api = await startTestApi()));
after(async () => await api.close());

/** A line as typed, split at spaces; fails with what kubectl said. */
async function kubectl(line: string, stdin?: string): Promise<string> {
  const answer = await api.kubectl(line.split(' '), stdin === undefined ? {} : { stdin });
  assert.equal(answer.code, 0, `kubectl ${line}: ${answer.stderr}`);
  return answer.stdout;
}
/** What kubectl says when a line fails. */
async function refusal(line: string): Promise<string> {
  const answer = await api.kubectl(line.split(' '));
  assert.equal(answer.code, 1, answer.stdout);
  return answer.stderr;
}
async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endMs = systemClock.monotonicMs() + untilMs;
  while (!(await condition())) assert.ok(systemClock.monotonicMs() < endMs, what);
}

test('kubectl knows the server, its kinds and their fields', async () => {
  assert.match(await kubectl('version'), /Server Version: v1\.36\.2\+k3ts1/);
  assert.match(await kubectl('cluster-info'), /Kubernetes control plane is running at https:/);
  assert.match(
    await kubectl('api-resources'),
    /^deployments +deploy +apps\/v1 +true +Deployment$/m,
  );
  assert.match(await kubectl('api-versions'), /^networking\.k8s\.io\/v1$/m);
  const explained = await kubectl('explain deployment.spec.strategy');
  assert.match(explained, /FIELD: strategy <DeploymentStrategy>[^]*rollingUpdate\t<RollingUpdate/);
  assert.match(
    await kubectl('explain pod.spec.containers.ports'),
    /containerPort\t<integer> -requ/,
  );
});

test('create, label, annotate, select, patch, replace and delete', async () => {
  assert.equal(await kubectl('create namespace team'), 'namespace/team created\n');
  const inTeam = (line: string): Promise<string> => kubectl(`-n team ${line}`);
  assert.equal(await inTeam('create configmap a --from-literal=k=v'), 'configmap/a created\n');
  assert.equal(await inTeam('label configmap a tier=front'), 'configmap/a labeled\n');
  assert.equal(await inTeam('annotate configmap a note=yes'), 'configmap/a annotated\n');
  assert.equal(await inTeam('get configmaps -l tier=front -o name'), 'configmap/a\n');
  assert.equal(await inTeam('get configmaps -l tier!=front,k -o name'), '');
  const byName = 'get configmaps -A --field-selector metadata.name=a -o name';
  assert.equal(await kubectl(byName), 'configmap/a\n');
  assert.match(await inTeam('get configmap a --show-labels'), /^a +1 +\d+s +tier=front$/m);
  assert.equal(await inTeam('patch configmap a -p {"data":{"k":"w"}}'), 'configmap/a patched\n');
  const operation = '[{"op":"add","path":"/data/z","value":"1"}]';
  await inTeam(`patch configmap a --type=json -p ${operation}`);
  assert.equal(await inTeam('get configmap a -o jsonpath={.data}'), '{"k":"w","z":"1"}');
  const noChange = await inTeam('patch configmap a -p {"data":{"k":"w"}}');
  assert.equal(noChange, 'configmap/a patched (no change)\n');
  const object = await inTeam('get configmap a -o yaml');
  const replaced = await kubectl('replace -f -', object.replace('k: w', 'k: x'));
  assert.equal(replaced, 'configmap/a replaced\n');
  assert.match(
    await refusal('create namespace team'),
    /\(AlreadyExists\): namespaces "team" already/,
  );
  assert.match(
    await refusal('get configmap nothing'),
    /\(NotFound\): configmaps "nothing" not fou/,
  );
  assert.equal(await kubectl('delete namespace team'), 'namespace "team" deleted\n');
  assert.match(await refusal('get namespace team'), /NotFound/);
});

const deployment = (image: string, more = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: ${image} }] }
${more}`;

test('apply, diff, dry run, server-side conflicts and strict fields', async () => {
  assert.equal(await kubectl('apply -f -', deployment('one')), 'deployment.apps/web created\n');
  assert.equal(await kubectl('apply -f -', deployment('one')), 'deployment.apps/web unchanged\n');
  assert.equal(await kubectl('diff -f -', deployment('one')), '');
  const difference = await api.kubectl(['diff', '-f', '-'], { stdin: deployment('two') });
  assert.equal(difference.code, 1);
  assert.match(difference.stdout, /^-.*image: one\n\+.*image: two$/m);
  const image = 'get deployment web -o jsonpath={.spec.template.spec.containers[0].image}';
  const dry = await kubectl('apply --dry-run=server -f -', deployment('two'));
  assert.equal(dry, 'deployment.apps/web configured (server dry run)\n');
  assert.equal(await kubectl(image), 'one');
  assert.equal(await kubectl('apply -f -', deployment('two')), 'deployment.apps/web configured\n');
  const other = ['apply', '--server-side', '--field-manager=other', '-f', '-'];
  const conflict = await api.kubectl(other, { stdin: deployment('three') });
  assert.match(
    conflict.stderr,
    /Apply failed with 1 conflict: conflict with "kubectl-client-side-/,
  );
  assert.match(conflict.stderr, /\.spec\.template\.spec\.containers\[name="web"\]\.image/);
  const forced = await api.kubectl([...other, '--force-conflicts'], { stdin: deployment('three') });
  assert.equal(forced.stdout, 'deployment.apps/web serverside-applied\n');
  assert.equal(await kubectl(image), 'three');
  const strict = await api.kubectl(['apply', '-f', '-'], {
    stdin: deployment('two', '  replicaz: 3\n'),
  });
  assert.match(strict.stderr, /strict decoding error: unknown field "spec.replicaz"/);
  assert.equal(await kubectl('delete deployment web'), 'deployment.apps "web" deleted\n');
  await until('replica sets to go', async () => (await kubectl('get rs -o name')) === '');
});

test('get shows tables, wide, custom columns, sorted and page by page', async () => {
  for (const name of ['c', 'a', 'b'])
    await kubectl(`create configmap ${name} --from-literal=x=${name}`);
  const columns = 'custom-columns=NAME:.metadata.name,X:.data.x';
  const sorted = await kubectl(`get configmaps a b c --sort-by=.data.x -o ${columns}`);
  assert.equal(sorted, 'NAME   X\na      a\nb      b\nc      c\n');
  const paged = await kubectl('get configmaps --chunk-size=1 -o name');
  assert.equal(paged, 'configmap/a\nconfigmap/b\nconfigmap/c\nconfigmap/kube-root-ca.crt\n');
  assert.match(
    await kubectl('get services -o wide'),
    /^NAME .*SELECTOR\nkubernetes +ClusterIP +10\.43/,
  );
  assert.match(await kubectl('describe service kubernetes'), /^TargetPort: +6444\/TCP$/m);
  assert.equal(await kubectl('get pods'), '');
  await kubectl('delete configmaps a b c');
});

test('roles decide, and tokens of service accounts work', async () => {
  assert.equal(await kubectl('auth can-i create pods'), 'yes\n');
  assert.equal((await api.kubectl(['auth', 'can-i', 'list', 'pods', '--as=bob'])).stdout, 'no\n');
  await kubectl('create rolebinding bob --clusterrole=view --user=bob');
  assert.equal(await kubectl('auth can-i list pods --as=bob'), 'yes\n');
  assert.equal(
    await refusal('get secrets --as=bob'),
    'Error from server (Forbidden): secrets is forbidden: User "bob" cannot list resource "secrets" in API group "" in the namespace "default"\n',
  );
  await kubectl('create serviceaccount robot');
  const token = (await kubectl('create token robot')).trim();
  const headers = { Authorization: `Bearer ${token}` };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const review = await api.request('POST', path, { as: 'none', headers, body });
  assert.equal(review.at('status.userInfo.username'), 'system:serviceaccount:default:robot');
});

test('wait sees what comes and goes', async () => {
  const waiting = kubectl('wait --for=create configmap/late --timeout=60s');
  await kubectl('create configmap late');
  assert.match(await waiting, /^configmap\/late condition met\n$/);
  const gone = kubectl('wait --for=delete configmap/late --timeout=60s');
  await kubectl('delete configmap late');
  await gone;
});

test('the kubernetes Service comes back when everything is deleted', async () => {
  await kubectl('delete services --all');
  const path = '/api/v1/namespaces/default/services/kubernetes';
  await until('it to be there', async () => (await api.request('GET', path)).status === 200);
});
