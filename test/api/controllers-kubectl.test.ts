/** What users of kubectl see of the controllers, over a whole server with admission and access. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { playKubelet } from './play-kubelet.ts';
import type { PlayedKubelet } from './play-kubelet.ts';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

let api: TestApi;
let kubelet: PlayedKubelet;

before(async () => {
  api = await startTestApi();
  kubelet = await playKubelet(api, ['n1', 'n2', 'n3']);
});

after(async () => {
  await kubelet.stop();
  await api.close();
});

/** What kubectl prints; fails when it fails. */
async function kubectl(args: string, stdin?: string): Promise<string> {
  const answer = await api.kubectl(args.split(' '), stdin === undefined ? {} : { stdin });
  assert.equal(answer.code, 0, `kubectl ${args}: ${answer.stderr}`);
  return answer.stdout;
}

async function apply(object: object): Promise<void> {
  await kubectl('apply -f -', JSON.stringify(object));
}

const template = (app: string, image = 'v1'): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image }] },
});

test('a StatefulSet rolls out, is updated in order and undone', async () => {
  await apply({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db' },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: template('db'),
    },
  });
  const done = await kubectl('rollout status statefulset/db --timeout=60s');
  assert.match(done, /statefulset rolling update complete|partitioned roll out complete/);
  const names = 'get pods -l app=db -o jsonpath={.items[*].metadata.name}';
  assert.equal(await kubectl(names), 'db-0 db-1 db-2');
  await kubectl('set image statefulset/db c=v2');
  await kubectl('rollout status statefulset/db --timeout=60s');
  const images = 'get pods -l app=db -o jsonpath={.items[*].spec.containers[0].image}';
  assert.equal(await kubectl(images), 'v2 v2 v2');
  assert.match(await kubectl('rollout history statefulset/db'), /1 .*\n2 /);
  await kubectl('rollout undo statefulset/db');
  await kubectl('rollout status statefulset/db --timeout=60s');
  assert.equal(await kubectl(images), 'v1 v1 v1');
  await kubectl('scale statefulset/db --replicas=1');
  await kubectl('wait --for=delete pod/db-1 --timeout=60s');
  const events = await kubectl('get events --field-selector involvedObject.name=db');
  assert.match(events, /create Pod db-0 in StatefulSet db successful/);
  await kubectl('delete statefulset db');
  await kubectl('wait --for=delete pod/db-0 --timeout=60s');
});

test('a DaemonSet runs on each node, is updated and undone', async () => {
  await apply({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent' },
    spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
  });
  const done = await kubectl('rollout status daemonset/agent --timeout=60s');
  assert.match(done, /daemon set "agent" successfully rolled out/);
  const nodes = 'get pods -l app=agent -o jsonpath={.items[*].spec.nodeName}';
  assert.deepEqual((await kubectl(nodes)).split(' ').toSorted(), ['n1', 'n2', 'n3']);
  await kubectl('set image daemonset/agent c=v2');
  await kubectl('rollout status daemonset/agent --timeout=60s');
  await kubectl('rollout undo daemonset/agent');
  await kubectl('rollout status daemonset/agent --timeout=60s');
  const images = 'get pods -l app=agent -o jsonpath={.items[*].spec.containers[0].image}';
  assert.equal(await kubectl(images), 'v1 v1 v1');
  assert.match(await kubectl('rollout history daemonset/agent'), /2 .*\n3 /);
  await kubectl('delete daemonset agent');
});

test('a job is made from a CronJob by hand', async () => {
  await kubectl('create cronjob report --image=ends --schedule=@yearly');
  await kubectl('create job by-hand --from=cronjob/report');
  await kubectl('wait --for=condition=complete job/by-hand --timeout=60s');
  const job = JSON.parse(await kubectl('get job by-hand -o json')) as {
    metadata: { annotations: Record<string, string>; ownerReferences: { kind: string }[] };
  };
  assert.equal(job.metadata.annotations['cronjob.kubernetes.io/instantiate'], 'manual');
  assert.equal(job.metadata.ownerReferences[0]?.kind, 'CronJob');
  const events =
    'get events --field-selector involvedObject.name=report -o jsonpath={.items[*].reason}';
  assert.match(await kubectl(events), /UnexpectedJob|SawCompletedJob|^$/);
  await kubectl('delete cronjob report');
  await kubectl('wait --for=delete job/by-hand --timeout=60s');
});

test('a quota is booked, refuses what is too much, and gives back what is deleted', async () => {
  await kubectl('create namespace narrow');
  await kubectl('create quota q --hard=pods=1,count/configmaps=2 -n narrow');
  const used = 'get quota q -n narrow -o jsonpath={.status.used}';
  await kubectl(
    'wait quota/q -n narrow --for=jsonpath={.status.used.count/configmaps}=1 --timeout=60s',
  );
  await kubectl('run a --image=v1 -n narrow');
  const refused = await api.kubectl(['run', 'b', '--image=v1', '-n', 'narrow']);
  assert.match(
    refused.stderr,
    /exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/,
  );
  assert.match(await kubectl(used), /"pods":"1"/);
  await kubectl('delete pod a -n narrow');
  await kubectl('wait quota/q -n narrow --for=jsonpath={.status.used.pods}=0 --timeout=60s');
  await kubectl('run b --image=v1 -n narrow');
  await kubectl('delete namespace narrow');
});

test('a disruption budget lets go what it can spare', async () => {
  await kubectl('create deployment web --image=v1 --replicas=2');
  await kubectl('rollout status deployment/web --timeout=60s');
  await kubectl('create pdb web --selector=app=web --max-unavailable=1');
  await kubectl('wait pdb/web --for=jsonpath={.status.disruptionsAllowed}=1 --timeout=60s');
  await kubectl('create pdb strict --selector=app=strict --min-available=1');
  await kubectl('run strict --image=v1 -l app=strict');
  await kubectl('wait pdb/strict --for=jsonpath={.status.currentHealthy}=1 --timeout=60s');
  const evict = (name: string) =>
    api.request('POST', `/api/v1/namespaces/default/pods/${name}/eviction`, {
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } },
    });
  const refused = await evict('strict');
  assert.equal(refused.status, 429);
  assert.match(refused.text, /needs 1 healthy pods and has 1 currently/);
  const name = await kubectl('get pods -l app=web -o jsonpath={.items[0].metadata.name}');
  assert.equal((await evict(name)).status, 201);
  await kubectl(`wait --for=delete pod/${name} --timeout=60s`);
  await kubectl('delete pdb strict web');
  await kubectl('delete deployment/web pod/strict');
});

test('an approved request is signed, and the certificate lets its user in', async () => {
  const made = execFileSync(
    'openssl',
    'req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -subj /O=dev/CN=jane'.split(
      ' ',
    ),
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const at = made.indexOf('-----BEGIN CERTIFICATE REQUEST-----');
  const [key, pem] = [made.slice(0, at), made.slice(at)];
  await apply({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'jane' },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      expirationSeconds: 3600,
    },
  });
  await kubectl('certificate approve jane');
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests/jane';
  const answer = await api.until(path, ({ json }) =>
    Boolean((json as { status: { certificate?: string } }).status.certificate),
  );
  const { certificate } = (answer.json as { status: { certificate: string } }).status;
  const cert = Buffer.from(certificate, 'base64').toString();
  const review = await api.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    as: { cert, key },
  });
  const { userInfo } = (
    review.json as { status: { userInfo: { username: string; groups: string[] } } }
  ).status;
  assert.equal(userInfo.username, 'jane');
  assert.ok(userInfo.groups.includes('dev'));
});

test('a Secret that asks for a token gets one that works', async () => {
  await kubectl('create serviceaccount robot');
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/service-account-token',
    metadata: {
      name: 'robot-token',
      annotations: { 'kubernetes.io/service-account.name': 'robot' },
    },
  });
  const path = '/api/v1/namespaces/default/secrets/robot-token';
  const answer = await api.until(path, ({ json }) =>
    Boolean((json as { data?: { token?: string } }).data?.token),
  );
  const { data } = answer.json as { data: Record<string, string> };
  const token = Buffer.from(data['token'] ?? '', 'base64').toString();
  const review = await api.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    as: 'none',
    headers: { Authorization: `Bearer ${token}` },
  });
  assert.match(review.text, /"username":"system:serviceaccount:default:robot"/);
  await kubectl('delete serviceaccount robot');
  await api.until(path, ({ status }) => status === 404);
});

test('the admin role takes in what is labelled for it', async () => {
  await apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: 'widgets',
      labels: { 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' },
    },
    rules: [{ apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get'] }],
  });
  await api.until('/apis/rbac.authorization.k8s.io/v1/clusterroles/admin', ({ text }) =>
    text.includes('example.com'),
  );
  await kubectl('delete clusterrole widgets');
  await api.until(
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/admin',
    ({ text }) => !text.includes('example.com'),
  );
});

test('a claim is bound to a volume, and neither goes while it is used', async () => {
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  await apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk' },
    spec: { ...spec, capacity: { storage: '1Gi' }, hostPath: { path: '/tmp/disk' } },
  });
  await apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { ...spec, resources: { requests: { storage: '1Gi' } } },
  });
  await kubectl('wait pvc/data --for=jsonpath={.status.phase}=Bound --timeout=60s');
  await kubectl('wait pv/disk --for=jsonpath={.status.phase}=Bound --timeout=60s');
  await kubectl('delete pv disk --wait=false');
  assert.match(await kubectl('get pv disk'), /Terminating/);
  await kubectl('delete pvc data');
  await kubectl('wait --for=delete pv/disk --timeout=60s');
});
