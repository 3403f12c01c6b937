/** What people run clusters with, typed into today's kubectl and Debian's old one. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';

import { kubectlSession, kubectlVersions } from './kubectl-versions.ts';
import type { KubectlSession, KubectlVersion } from './kubectl-versions.ts';
import type { PlayedKubelet } from './play-kubelet.ts';
import { playKubelet } from './play-kubelet.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

let api: TestApi;
let kubelet: PlayedKubelet;
before(async () => {
  api = await startTestApi();
  kubelet = await playKubelet(api, ['old-node', 'new-node', 'spare']);
});
after(async () => {
  await kubelet.stop();
  await api.close();
});

/** One of each kind that `describe` has something to say about. */
const described = `
{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, max: {cpu: "2"}}]}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c},
 spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n},
 spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 80}]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {rules: [{host: a.b, http: {paths: [
 {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: j},
 spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: ends}]}}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {p: q}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}, spec: {selector: {matchLabels: {app: d}},
 template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c, image: v1}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: t}, spec: {serviceName: t, selector: {matchLabels: {app: t}},
 template: {metadata: {labels: {app: t}}, spec: {containers: [{name: c, image: v1}]}}}}
`;

/** kubectl takes a document that starts with a brace for JSON. */
function manifests(text: string): { stdin: string } {
  const documents = [...parseAllDocuments(text)];
  return { stdin: documents.map((one) => JSON.stringify(one.toJSON())).join('\n') };
}

describe('operating', { concurrency: true }, () => {
  for (const version of kubectlVersions()) testOperating(version);
});

function testOperating(version: KubectlVersion): void {
  describe(version.title, { concurrency: 1 }, () => {
    const { isOld } = version;
    const namespace = isOld ? 'old' : 'new';
    const node = `${namespace}-node`;
    let k: KubectlSession;
    before(async () => {
      k = kubectlSession(api, version, namespace);
      await k.run(`create namespace ${namespace}`);
      await k.run('create deployment web --image=v1 --replicas=2 --port=80');
      await k.run('rollout status deployment/web --timeout=60s');
    });

    const image = 'get deploy web -o jsonpath={.spec.template.spec.containers[0].image}';

    test('a rollout is followed, looked back on, undone, paused and started again', async () => {
      const changed = await k.run('set image deploy/web v1=v2');
      assert.equal(changed, 'deployment.apps/web image updated\n');
      const done = await k.run('rollout status deploy/web --timeout=60s');
      assert.match(done, /deployment "web" successfully rolled out/);
      assert.match(await k.run('rollout history deploy/web'), /\n1 +<none>\n2 +<none>\n/);
      const second = await k.run('rollout history deploy/web --revision=2');
      assert.match(second, /with revision #2\nPod Template:[^]*Image:\tv2/);
      assert.match(await k.run('rollout undo deploy/web --dry-run=server'), /server dry run/);
      await k.run('rollout undo deploy/web --to-revision=1');
      assert.equal(await k.run(image), 'v1');
      await k.run('rollout pause deploy/web');
      assert.match(
        await k.refusal('rollout undo deploy/web'),
        /cannot rollback a paused deployment/,
      );
      await k.run('rollout resume deploy/web');
      assert.equal(await k.run('rollout restart deploy/web'), 'deployment.apps/web restarted\n');
      await k.run('rollout status deploy/web --timeout=60s');
      assert.match(
        await k.refusal('scale deploy/web --replicas=3 --current-replicas=9'),
        /be 9, was 2/,
      );
      assert.equal(await k.run('scale deploy/web --replicas=3'), 'deployment.apps/web scaled\n');
      await k.run('wait deploy/web --for=condition=Available --timeout=60s');
      if (!isOld) {
        const scale = await k.run('get deploy web --subresource=scale');
        assert.match(scale, /^NAME +DESIRED +AVAILABLE +AGE\nweb +3 +\d +\d+s\n$/);
      }
      await k.run('set env deploy/web A=b');
      await k.run('set resources deploy/web --limits=cpu=1');
      await k.run('autoscale deploy/web --min=1 --max=3 --cpu-percent=50');
      assert.match(
        await k.run('get hpa web'),
        /^web +Deployment\/web +(cpu: )?<unknown>\/50% +1 +3 /m,
      );
      await k.run('delete hpa web');
    });

    test('describe has something to say of each kind', async () => {
      await k.run('expose deploy web');
      await k.run('apply -f -', manifests(described));
      await k.run('wait job/j --for=condition=Complete --timeout=60s');
      const texts: readonly (readonly [string, RegExp])[] = [
        [
          'deploy web',
          /^NewReplicaSet: +web-\w+ \(\d\/3 replicas created\)$[^]*ScalingReplicaSet/m,
        ],
        ['rs', /^Controlled By: +Deployment\/web$/m],
        ['pods -l app=web', /^Status: +Running$[^]*Scheduled[^]*Successfully assigned/m],
        ['svc web', /^TargetPort: +80\/TCP$[^]*^Endpoints: +10\.42\.0\.\d+:80/m],
        ['cm kube-root-ca.crt', /^ca\.crt:\n----\n-----BEGIN CERTIFICATE-----$/m],
        ['secret s', /^p: +1 bytes$/m],
        ['sa default', /^Name: +default$/m],
        [`ns ${namespace}`, /^Status: +Active$[^]*Container +cpu/m],
        [`node ${node}`, /^Allocatable:\n +cpu: +64$/m],
        ['limits l', /^Container +cpu +- +2 +2 +2/m],
        ['pvc c', /^Status: +Pending$/m],
        ['netpol n', /To Port: 80\/TCP/],
        ['ing i', /^ +a\.b +\n +\/ +web:80 \(10\.42/m],
        ['job j', /^Pods Statuses: .*1 Succeeded \/ 0 Failed$/m],
        ['ds d', /^Desired Number of Nodes Scheduled: \d$/m],
        ['sts t', /^Pods Status: /m],
        ['clusterrole view', /configmaps +\[\] +\[\] +\[get list watch\]/],
        ['clusterrolebinding cluster-admin', /Group +system:masters/],
        ['priorityclass system-node-critical', /^Value: +2000001000$/m],
        ['endpoints web', /^ +Addresses: +10\.42\.0\.\d+/m],
      ];
      for (const [what, expected] of texts) assert.match(await k.run(`describe ${what}`), expected);
      assert.match(await k.run('get events --sort-by=.lastTimestamp'), /ScalingReplicaSet +deploy/);
      if (!isOld)
        assert.match(await k.run('events --for deployment/web'), /Scaled up replica set web/);
    });

    test('roles: who may do what, and making it so', async () => {
      await k.run('create sa robot');
      await k.run('create role r --verb=get,list --resource=pods,pods/log');
      await k.run(`create rolebinding rb --role=r --serviceaccount=${namespace}:robot`);
      const robot = `--as=system:serviceaccount:${namespace}:robot`;
      assert.equal(await k.run(`auth can-i get pods ${robot}`), 'yes\n');
      assert.equal(await k.run(`auth can-i get pods --subresource=log ${robot}`), 'yes\n');
      assert.match((await k.attempt(`auth can-i delete pods ${robot}`)).stdout, /^no/);
      assert.match(await k.run(`auth can-i --list ${robot}`), /^pods +\[\] +\[\] +\[get list\]$/m);
      const more = `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: ${namespace}},
        rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]}`;
      await k.run('auth reconcile -f -', manifests(more));
      assert.equal(await k.run(`auth can-i get secrets ${robot}`), 'yes\n');
      assert.equal(await k.run(`auth can-i get pods ${robot}`), 'yes\n');
      assert.match(
        await k.refusal(`get nodes ${robot}`),
        /cannot list resource "nodes" in API group ""/,
      );
      const escalation = `create role all --verb=* --resource=* ${robot}`;
      assert.match(await k.refusal(escalation), /is forbidden: User "system:serviceaccount:/);
      await k.run('set subject rolebinding rb --user=jane');
      assert.equal(await k.run('auth can-i get pods --as=jane'), 'yes\n');
      if (isOld) return;
      assert.match(await k.run('auth whoami'), /^Username +system:admin$/m);
      assert.match(
        await k.run('create token robot --duration=10m'),
        /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n?$/,
      );
      const short = await k.refusal('create token robot --duration=1s');
      assert.match(short, /may not specify a duration less than 10 minutes/);
    });

    test('requests for certificates are approved and denied', async () => {
      const name = `jane-${namespace}`;
      const csr = (more: string): string => `{apiVersion: certificates.k8s.io/v1,
        kind: CertificateSigningRequest, metadata: {name: ${name}${more}}, spec: {request: ${request},
        signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}}`;
      await k.run('apply -f -', manifests(`${csr('')}\n---\n${csr('-no')}`));
      assert.match(await k.run(`get csr ${name}`), /Pending/);
      assert.match(await k.run(`certificate approve ${name}`), /\/jane-\w+ approved/);
      assert.match(await k.run(`certificate deny ${name}-no`), /\/jane-\w+-no denied/);
      const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${name}`;
      await api.until(path, ({ text }) => text.includes('"certificate"'));
      assert.match(await k.run(`get csr ${name}`), /Approved,Issued/);
      assert.match(await k.run(`get csr ${name}-no`), /Denied/);
    });

    test('nodes are tainted, cordoned, drained within budgets and taken back', async () => {
      assert.equal(
        await k.run(`taint node ${node} k=v:PreferNoSchedule`),
        `node/${node} tainted\n`,
      );
      const again = await k.refusal(`taint node ${node} k=w:PreferNoSchedule`);
      assert.match(
        again,
        /already has k taint\(s\) with same effect\(s\) and --overwrite is false/,
      );
      assert.equal(await k.run(`taint node ${node} k-`), `node/${node} untainted\n`);
      const pin = { spec: { nodeName: node } };
      const overrides = JSON.stringify({ apiVersion: 'v1', ...pin });
      await k.run([
        'run',
        'guarded',
        '--image=v1',
        '--labels=app=guarded',
        '--overrides',
        overrides,
      ]);
      await k.run('wait pod/guarded --for=condition=Ready --timeout=60s');
      const budget = `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: guard},
        spec: {minAvailable: 1, selector: {matchLabels: {app: guarded}}}}`;
      await k.run('apply -f -', manifests(budget));
      const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/guard`;
      await api.until(path, (answer) => answer.at('status.currentHealthy') === 1);
      const drain = `drain ${node} --ignore-daemonsets --force --pod-selector=app=guarded`;
      const kept = await k.refusal(`${drain} --timeout=3s`);
      assert.match(kept, /Cannot evict pod as it would violate the pod's disruption budget/);
      assert.match(await k.run(`get node ${node}`), /Ready,SchedulingDisabled/);
      await k.run('delete pdb guard');
      assert.match(await k.run(`${drain} --timeout=60s`), /pod\/guarded evicted/);
      assert.equal(await k.run(`uncordon ${node}`), `node/${node} uncordoned\n`);
      assert.match(
        await k.refusal('top nodes'),
        /Metrics API not available|metrics not available yet/i,
      );
    });

    test('run and debug make pods; what needs a node says so', async () => {
      const dry = await k.run('run p --image=v1 --dry-run=server -o yaml');
      assert.match(dry, /^ {2}preemptionPolicy: PreemptLowerPriority$[^]*^ {2}phase: Pending$/m);
      await k.run('run p --image=v1');
      await k.run('wait pod/p --for=condition=Ready --timeout=60s');
      await k.run('debug p --image=tools --copy-to=copy --share-processes');
      assert.match(await k.run('get pod copy -o jsonpath={.spec}'), /"shareProcessNamespace":true/);
      await k.run(`debug node/${node} --image=tools`);
      if (!isOld) {
        await k.run('debug p --image=tools -c dbg --target=p');
        const path = 'get pod p -o jsonpath={.spec.ephemeralContainers[0].targetContainerName}';
        assert.equal(await k.run(path), 'p');
        const twice = '{"spec":{"ephemeralContainers":[{"name":"p","image":"i"}]}}';
        const refused = await k.refusal([
          'patch',
          'pod',
          'p',
          '--subresource=ephemeralcontainers',
          '-p',
          twice,
        ]);
        assert.match(refused, /spec\.ephemeralContainers\[0\]\.name: Duplicate value: "p"/);
      }
      for (const line of [
        'exec p -c p -- ls',
        'logs p -c p',
        'attach p -c p',
        'cp p:/x /tmp/x -c p',
      ]) {
        assert.match(await k.refusal(line), /no preferred addresses found; known addresses: \[\]/);
      }
      assert.equal(await k.run('delete pod p copy --now'), 'pod "p" deleted\npod "copy" deleted\n');
    });

    test('deletions cascade as they are told to', async () => {
      const replicas = `/apis/apps/v1/namespaces/${namespace}/replicasets?labelSelector=app%3Dkept`;
      await k.run('create deploy kept --image=v1');
      await api.until(replicas, (answer) => (answer.at('items') as object[]).length === 1);
      await k.run('delete deploy kept --cascade=orphan');
      const left = await api.request('GET', replicas);
      assert.equal((left.at('items') as object[]).length, 1);
      await k.run('delete rs -l app=kept --cascade=foreground --timeout=60s');
      assert.equal(await k.run('get pods -l app=kept -o name'), '');
    });

    test('a proxy passes requests on, cluster-info dumps what there is', async () => {
      const proxy = k.follow('proxy --port=0');
      try {
        const started = /Starting to serve on (\S+)/;
        while (!started.test(proxy.output())) await api.request('GET', '/livez');
        const address = started.exec(proxy.output())?.[1] ?? '';
        const answer = await fetch(`http://${address}/api/v1/namespaces/${namespace}`);
        const { metadata } = (await answer.json()) as { metadata: { name: string } };
        assert.equal(metadata.name, namespace);
      } finally {
        await proxy.stop();
      }
      const dump = await k.run('cluster-info dump -o json');
      assert.match(dump, /"kind": "NodeList"[^]*"kind": "ReplicationControllerList"/);
      assert.match(await k.run('config current-context'), /^default$/m);
    });
  });
}

/** A signing request of CN=jane, made with openssl; its key is not needed. */
const request = [
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISU1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RWFtRn',
  'VaVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQlBzSnJ6SVFyTUR5SjM2ZVBVSlp4R0ZBeEpmN3Bv',
  'SW9NTWhldVhuMkRLTGxNUStrWlBQQ0lUOE5tWHY1CmNkZGg2V3dCOTdTNnVXSDJZeUJrb3BsOWo5NmdBREFLQmdncW',
  'hrak9QUVFEQWdOSEFEQkVBaUIxQTFURWF4cEMKUVRyUVpTWDhnRS9XNzRleWJyT1JwMU8yMGUrQmR0L2h6QUlnVEZo',
  'TjZjUG82RmlhSUxERWE0bHRvMVpYUE5HSApFMjdtYWxhdkJwcDViUG89Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUV',
  'VFU1QtLS0tLQo=',
].join('');
