/**
 * What a new user does in the first hour, typed as they would, on one node: a Deployment behind a
 * Service, rollouts, configuration, volumes, probes, crashes, resources, static pods, deleting.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import type { CoreV1EventList, Node, Pod } from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';
import { configuredPod, probedPod } from './cluster-manifests.ts';

const skip = await labProblem();
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  const images = await Promise.all([fixtures.web(), fixtures.busybox(), fixtures.crash()]);
  node = await startNode({ images });
  await node.waitReady();
});
after(async () => await node?.close());

/** A line as typed; the words are split at spaces. */
async function kubectl(line: string): Promise<string> {
  return await node.kubectl(line.split(' '), { timeoutMs: 120_000 });
}
async function get<T>(what: string): Promise<T> {
  return JSON.parse(await kubectl(`get ${what} -o json`)) as T;
}
async function phase(name: string, wanted: string): Promise<void> {
  await kubectl(`wait --for=jsonpath={.status.phase}=${wanted} pod/${name} --timeout=100s`);
}
/** What a container wrote, from the files of the node. */
async function written(pod: string, container = pod): Promise<string> {
  const text = await node.machine.sh(`cat /var/log/pods/default_${pod}_*/${container}/*.log`);
  const lines = text.split('\n').map((line) => line.split(' ').slice(3).join(' '));
  return lines.join('\n').trimEnd();
}
async function events(name: string): Promise<string[]> {
  const selector = `involvedObject.name=${name}`;
  const { items } = await get<CoreV1EventList>(`events --field-selector ${selector}`);
  return items.map(({ reason, message }) => `${reason}: ${message}`);
}
async function runShell(name: string, script: string): Promise<string> {
  const head = ['run', name, '--image=docker.io/test/busybox:1', '--restart=Never', '--'];
  await node.kubectl([...head, 'sh', '-c', script]);
  await phase(name, 'Succeeded');
  return await written(name);
}

test('a Deployment behind a Service answers by name, from all replicas', { skip }, async () => {
  const create = 'create deployment web --image=docker.io/test/web:1 --replicas=2';
  assert.equal(await kubectl(create), 'deployment.apps/web created\n');
  assert.equal(await kubectl('expose deployment web --port 80'), 'service/web exposed\n');
  assert.match(
    await kubectl('rollout status deployment web --timeout=100s'),
    /deployment "web" successfully rolled out/,
  );
  const get = 'timeout 3 wget -qO- http://web.default.svc.cluster.local';
  const answers = await runShell('third', `for i in $(seq 40); do ${get}; done`);
  const pods = (await kubectl('get pods -l app=web -o name')).trim().split('\n');
  const names = pods.map((name) => name.replace('pod/', '')).sort();
  assert.equal(answers.split('\n').length, 40);
  assert.deepEqual([...new Set(answers.split('\n'))].sort(), names);
});

test('a NodePort answers on the addresses of the host', { skip }, async () => {
  await kubectl('expose deployment web --name=outside --type=NodePort --port=80');
  const port = await kubectl('get service outside -o jsonpath={.spec.ports[0].nodePort}');
  assert.ok(Number(port) >= 30000 && Number(port) <= 32767);
  for (const host of ['127.0.0.1', node.address]) {
    await waitFor(`an answer of ${host}`, async () => {
      const answer = await node.machine.sh(`timeout 3 busybox wget -qO- http://${host}:${port}/`);
      return answer.startsWith('web-');
    });
  }
  const fromNeighbour = ['3', 'busybox', 'wget', '-qO-', `http://${node.address}:${port}/`];
  assert.match(await node.lab.runOutside('timeout', fromNeighbour), /^web-/);
});

test('scale, rollout status, history and undo', { skip }, async () => {
  assert.equal(await kubectl('scale deployment web --replicas=3'), 'deployment.apps/web scaled\n');
  await kubectl('rollout status deployment web --timeout=100s');
  assert.equal((await kubectl('get pods -l app=web -o name')).trim().split('\n').length, 3);
  await kubectl('set env deployment/web COLOR=green');
  await kubectl('rollout status deployment web --timeout=100s');
  const color = 'get deployment web -o jsonpath={.spec.template.spec.containers[0].env[0].value}';
  assert.equal(await kubectl(color), 'green');
  assert.equal(await kubectl('rollout undo deployment web'), 'deployment.apps/web rolled back\n');
  await kubectl('rollout status deployment web --timeout=100s');
  assert.equal(await kubectl(color), '');
  assert.match(await kubectl('rollout history deployment web'), /\n2 +<none>\n3 +<none>\n/);
});

test(
  'apply creates, leaves alone, configures; server-side apply and delete',
  { skip },
  async () => {
    const manifest = (color: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: applied }
data: { color: ${color} }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: applied }
spec:
  replicas: 1
  selector: { matchLabels: { app: applied } }
  template:
    metadata: { labels: { app: applied } }
    spec: { containers: [{ name: web, image: 'docker.io/test/web:1' }] }
`;
    const results = (word: string, first = word): string =>
      `configmap/applied ${first}\ndeployment.apps/applied ${word}\n`;
    assert.equal(await node.apply(manifest('red')), results('created'));
    assert.equal(await node.apply(manifest('red')), results('unchanged'));
    assert.equal(await node.apply(manifest('blue')), results('unchanged', 'configured'));
    const onServer = ['apply', '--server-side', '-f', '-'];
    for (const color of ['blue', 'green']) {
      const args = color === 'blue' ? onServer : [...onServer, '--force-conflicts'];
      const answer = await node.kubectl(args, { stdin: manifest(color) });
      assert.equal(answer, results('serverside-applied'));
    }
    assert.equal(await kubectl('get cm applied -o jsonpath={.data.color}'), 'green');
    await kubectl('rollout status deployment applied --timeout=100s');
    const answer = await node.kubectl(['delete', '-f', '-'], { stdin: manifest('green') });
    assert.equal(answer, 'configmap "applied" deleted\ndeployment.apps "applied" deleted\n');
    await waitFor('its pods to go', async () => {
      return (await kubectl('get pods -l app=applied -o name')) === '';
    });
  },
);

test(
  'configuration, secrets, volumes, init containers and limits reach a pod',
  { skip },
  async () => {
    await kubectl('create configmap settings --from-literal=greeting=hello');
    await kubectl('create secret generic vault --from-literal=password=s3cret');
    await node.apply(configuredPod);
    await phase('configured', 'Succeeded');
    const lines = (await written('configured', 'main')).split('\n');
    assert.deepEqual(
      Object.fromEntries(lines.map((line) => /([^=]*)=(.*)/.exec(line)?.slice(1) ?? [line])),
      {
        init: 'first second',
        file: 'hello',
        subPath: 'hello',
        // The group of the pod may read, too: fsGroup says so.
        secret: 's3cret -r--r-----',
        projected: 'hello app="configured" 200',
        token: 'default 3',
        environment: 'hello s3cret node-1 200 hello-x hello',
        memory: '8192',
        user: '1000:2000 2000',
        readOnly: 'refused',
        limits: `${64 * 2 ** 20} 20000`,
      },
    );
    const { status } = await get<Pod>('pod configured');
    const [container] = status?.containerStatuses ?? [];
    assert.equal(container?.state?.terminated?.message, 'the last word\n');
    assert.equal(container?.state?.terminated?.reason, 'Completed');
    assert.equal(status?.qosClass, 'Burstable');
  },
);

test('probes decide over readiness and restarts', { skip }, async () => {
  await node.apply(probedPod);
  await kubectl('wait --for=condition=Ready pod/probed --timeout=100s');
  const restarts = async (): Promise<number[]> => {
    const { status } = await get<Pod>('pod probed');
    return (status?.containerStatuses ?? []).map(({ restartCount }) => restartCount);
  };
  await waitFor('the bad one to be restarted', async () => (await restarts())[0] === 1);
  assert.deepEqual(await restarts(), [1, 0]);
  const seen = await events('probed');
  assert.ok(seen.includes('Killing: Container bad failed liveness probe, will be restarted'));
  assert.ok(seen.some((text) => text.startsWith('Unhealthy: Liveness probe failed: cat: ')));
  const ready = async (): Promise<string> =>
    await kubectl('get pod probed -o jsonpath={.status.containerStatuses[1].ready}');
  assert.equal(await ready(), 'true');
  const pid = 'pgrep -f [h]ttpd.*8081';
  await node.machine.sh(`kill -STOP $(${pid})`);
  await waitFor('the other one to be unready', async () => (await ready()) === 'false');
  await node.machine.sh(`kill -CONT $(${pid})`);
  await waitFor('the other one to be ready', async () => (await ready()) === 'true');
  await kubectl('delete pod probed --grace-period=1');
});

test('a crashing pod backs off with upstream texts, 10 s and then 20 s', { skip }, async () => {
  await kubectl('run crash --image=docker.io/test/crash:1');
  const uid = await kubectl('get pod crash -o jsonpath={.metadata.uid}');
  const seen = new Map<string, number>();
  await waitFor(
    'the second back-off',
    async () => {
      const { status } = await get<Pod>('pod crash');
      const [container] = status?.containerStatuses ?? [];
      const { reason, message = '' } = container?.state?.waiting ?? {};
      if (reason === 'CrashLoopBackOff' && !seen.has(message)) {
        seen.set(message, systemClock.monotonicMs());
        assert.equal(status?.phase, 'Running');
        assert.equal(container?.lastState?.terminated?.reason, 'Error');
        assert.equal(container?.lastState?.terminated?.exitCode, 1);
      }
      return seen.size === 2;
    },
    120_000,
  );
  const text = (delay: string): string =>
    `back-off ${delay} restarting failed container=crash pod=crash_default(${uid})`;
  assert.deepEqual([...seen.keys()], [text('10s'), text('20s')]);
  const [first = 0, second = 0] = seen.values();
  assert.ok(second - first > 5000 && second - first < 60_000, `${second - first} ms apart`);
  const backOff = `Back-off restarting failed container crash in pod crash_default(${uid})`;
  assert.ok((await events('crash')).includes(`BackOff: ${backOff}`));
  assert.match(await kubectl('get pod crash'), /0\/1 +CrashLoopBackOff +2 \(/);
  await kubectl('delete pod crash --now');
});

test('restart policies: Never fails, OnFailure tries again until it works', { skip }, async () => {
  const run = ['--image=docker.io/test/busybox:1', '--', 'sh', '-c'];
  await node.kubectl(['run', 'never', '--restart=Never', ...run, 'exit 3']);
  await phase('never', 'Failed');
  const { status } = await get<Pod>('pod never');
  assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
  assert.equal(status.containerStatuses[0].restartCount, 0);
  // The termination log's directory is the pod's; what is in /dev/shm survives a restart.
  const script = '[ -e /dev/shm/again ] && exit 0; touch /dev/shm/again; exit 1';
  await node.kubectl(['run', 'retried', '--restart=OnFailure', ...run, script]);
  await phase('retried', 'Succeeded');
  const retried = await get<Pod>('pod retried');
  assert.equal(retried.status?.containerStatuses?.[0]?.restartCount, 1);
  await kubectl('delete pod never retried');
});

test(
  'delete returns soon after SIGTERM; without a handler after the grace period',
  { skip },
  async () => {
    const took = async (line: string): Promise<number> => {
      const beginMs = systemClock.monotonicMs();
      await kubectl(line);
      return systemClock.monotonicMs() - beginMs;
    };
    await kubectl('run polite --image=docker.io/test/web:1');
    const run = ['run', 'deaf', '--image=docker.io/test/busybox:1', '--', 'sleep', '1000'];
    await node.kubectl(run);
    await kubectl('wait --for=condition=Ready pod/polite pod/deaf --timeout=100s');
    const politeMs = await took('delete pod polite');
    assert.ok(politeMs < 25_000, `${politeMs} ms`);
    const deafMs = await took('delete pod deaf --grace-period=2');
    assert.ok(deafMs > 1900 && deafMs < 25_000, `${deafMs} ms`);
  },
);

test(
  'a static pod runs, has a mirror that comes back, and goes with its file',
  { skip },
  async () => {
    const file = '/var/lib/rancher/k3s/agent/pod-manifests/still.yaml';
    const manifest = `{apiVersion: v1, kind: Pod, metadata: {name: still},
    spec: {containers: [{name: web, image: 'docker.io/test/web:1'}]}}`;
    await node.machine.sh(`cat >${file}`, { stdin: manifest });
    const exists = async (): Promise<boolean> =>
      (await kubectl('get pods -o name')).includes('pod/still-node-1');
    await waitFor('the mirror', exists);
    await phase('still-node-1', 'Running');
    const before = await kubectl('get pod still-node-1 -o jsonpath={.metadata.uid}');
    await kubectl('delete pod still-node-1 --wait=false');
    await waitFor('a new mirror', async () => {
      const uid = await kubectl('get pod still-node-1 -o jsonpath={.metadata.uid}');
      return uid !== before;
    });
    await node.machine.sh(`rm ${file}`);
    await waitFor('the mirror to go', async () => !(await exists()));
  },
);

test('describe node, get events and get all show the cluster', { skip }, async () => {
  const described = await kubectl('describe node node-1');
  assert.match(described, /Roles: +control-plane/);
  assert.match(described, /Ready +True .*KubeletReady +kubelet is posting ready status/);
  assert.match(described, /Non-terminated Pods: +\(\d+ in total\)/);
  assert.match(await kubectl('get events'), /Scheduled +pod\/third +Successfully assigned/);
  assert.match(await kubectl('get all'), /deployment.apps\/web +3\/3 +3 +3/);
  const { status } = await get<Node>('node node-1');
  assert.equal(status?.nodeInfo?.kubeletVersion, 'v1.36.2+k3ts1');
});

test('deleting the Deployment takes its pods along', { skip }, async () => {
  assert.equal(await kubectl('delete deployment web'), 'deployment.apps "web" deleted\n');
  await waitFor('its pods and replica sets to go', async () => {
    return (await kubectl('get pods,replicasets -l app=web -o name')) === '';
  });
  await waitFor('the endpoints to be empty', async () => {
    return (await kubectl('get endpoints web -o jsonpath={.subsets}')) === '';
  });
});
