/**
 * All controllers over a real API server in this process, in real time. A small kubelet of the test
 * makes pods ready and lets deleted ones go.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer } from '#apiserver/test-server.ts';
import type { TestServer } from '#apiserver/test-server.ts';
import { formatTime, systemClock } from '#base/clock.ts';
import { hasReason } from '#base/api-status-error.ts';
import { createLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import { createInformerFactory, objectKey, resources } from '#client/mod.ts';
import type { Client, InformerFactory } from '#client/mod.ts';
import { startControllers } from '#controllers/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type {
  ConfigMap,
  Deployment,
  Endpoints,
  EndpointSlice,
  Job,
  Namespace,
  Node,
  Pod,
  ReplicaSet,
  Service,
} from '#schema/types.ts';
import { untilMs } from './server.ts';

let server: TestServer;
let client: Client;
let informers: InformerFactory;
let running: Promise<void>;
const stop = new AbortController();
const logLines: string[] = [];

before(async () => {
  server = await startTestServer();
  client = server.client;
  const log = createLogger({
    level: 'warning',
    now: () => systemClock.now(),
    write: (line) => void logLines.push(line),
  });
  const shared = { clock: systemClock, random: systemRandom, log, signal: stop.signal };
  informers = createInformerFactory({ ...shared, client });
  const options = { resources: () => catalog.all, rootCa: 'ca', clusterCidrs: ['10.42.0.0/16'] };
  running = startControllers({ ...shared, client, informers, options });
  playKubelet();
  await informers.synced();
  const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
  await client.create<Node>(resources.nodes, node);
});

after(async () => {
  stop.abort();
  await running;
  await server.close();
});

/** Runs pods and ends them at once when they are deleted. */
function playKubelet(): void {
  let next = 1;
  const act = (pod: Pod): void => {
    const { name, namespace, deletionTimestamp } = pod.metadata;
    const options = { namespace };
    const image = pod.spec?.containers[0]?.image ?? '';
    const ignore = (error: unknown): void => {
      if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
    };
    if (deletionTimestamp !== undefined) {
      void client.delete(resources.pods, name, { ...options, gracePeriodSeconds: 0 }).catch(ignore);
    } else if (pod.status?.phase === 'Pending' && image !== 'broken') {
      const podIP = `10.42.0.${next++}`;
      const lastTransitionTime = formatTime(systemClock.now());
      const status = {
        ...pod.status,
        phase: image === 'ends' ? 'Succeeded' : 'Running',
        podIP,
        podIPs: [{ ip: podIP }],
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }],
      };
      void client
        .update<Pod>(resources.pods, { ...pod, status }, { ...options, subresource: 'status' })
        .catch(ignore);
    }
  };
  const pods = informers.informer<Pod>(resources.pods);
  pods.addHandler({ onAdd: act, onUpdate: (_old, pod) => act(pod) });
}

/** Waits until the informer's state passes the check; fails after `untilMs`. */
async function until(what: string, check: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + untilMs;
  while (!check()) {
    assert.ok(systemClock.monotonicMs() < endMs, `${what}\n${logLines.join('')}`);
    await systemClock.sleep(5);
  }
}

async function makeNamespace(name: string): Promise<void> {
  const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await client.create<Namespace>(resources.namespaces, namespace);
}

function listed<T extends KubeObject>(resource: GroupVersionResource, namespace: string): T[] {
  return informers.informer<T>(resource).listNamespace(namespace);
}

function deployment(namespace: string, image: string, replicas: number): Deployment {
  const labels = { app: 'web' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'c', image, ports: [{ name: 'http', containerPort: 80 }] }] },
      },
    },
  };
}

async function setImage(namespace: string, image: string): Promise<void> {
  const body = { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } };
  const patch = { type: 'strategic', body } as const;
  await client.patch(resources.deployments, 'web', patch, { namespace });
}

function isRolledOut(namespace: string, image: string, replicas: number): boolean {
  const live = informers.informer<Deployment>(resources.deployments).get(`${namespace}/web`);
  const { status, spec, metadata } = live ?? {};
  return (
    spec?.template.spec?.containers[0]?.image === image &&
    status?.observedGeneration === metadata?.generation &&
    status?.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas
  );
}

test('a Deployment rolls out, updates, is undone and scales', async () => {
  await makeNamespace('rollout');
  await client.create(resources.deployments, deployment('rollout', 'v1', 10));
  await until('first rollout', () => isRolledOut('rollout', 'v1', 10));
  await setImage('rollout', 'v2');
  await until('update', () => isRolledOut('rollout', 'v2', 10));
  await setImage('rollout', 'v1');
  await until('undo', () => isRolledOut('rollout', 'v1', 10));
  const revisions = listed<ReplicaSet>(resources.replicaSets, 'rollout').map(
    ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '',
  );
  assert.deepEqual(revisions.sort(), ['2', '3']);
  const body = { spec: { replicas: 3 } };
  const scale = { namespace: 'rollout', subresource: 'scale' };
  await client.patch(resources.deployments, 'web', { type: 'merge', body }, scale);
  await until('scale', () => isRolledOut('rollout', 'v1', 3));
});

test('a broken update keeps the old pods', async () => {
  await makeNamespace('broken');
  await client.create(resources.deployments, deployment('broken', 'v1', 4));
  await until('rollout', () => isRolledOut('broken', 'v1', 4));
  await setImage('broken', 'broken');
  await until('stuck rollout', () => {
    const sets = listed<ReplicaSet>(resources.replicaSets, 'broken');
    return (
      sets
        .map(({ spec }) => String(spec?.replicas))
        .sort()
        .join() === '2,3'
    );
  });
});

test('a service gets slices and Endpoints of its pods', async () => {
  await makeNamespace('service');
  await client.create(resources.deployments, deployment('service', 'v1', 3));
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'service' },
    spec: { selector: { app: 'web' }, ports: [{ port: 8080, targetPort: 'http' }] },
  };
  await client.create(resources.services, service);
  await until('endpoints', () => {
    const [slice] = listed<EndpointSlice>(resources.endpointSlices, 'service');
    const [endpoints] = listed<Endpoints>(resources.endpoints, 'service');
    const ready = slice?.endpoints?.filter(({ conditions }) => conditions?.ready === true) ?? [];
    return ready.length === 3 && endpoints?.subsets?.[0]?.addresses?.length === 3;
  });
  const [slice] = listed<EndpointSlice>(resources.endpointSlices, 'service');
  assert.deepEqual(slice?.ports, [{ name: '', port: 80, protocol: 'TCP' }]);
});

test('deletion is background, foreground or orphaning, as asked', async () => {
  for (const [policy, podsLeft] of [
    ['Background', 0],
    ['Foreground', 0],
    ['Orphan', 2],
  ] as const) {
    const namespace = `delete-${policy.toLowerCase()}`;
    await makeNamespace(namespace);
    await client.create(resources.deployments, deployment(namespace, 'v1', 2));
    await until('rollout', () => isRolledOut(namespace, 'v1', 2));
    await client.delete(resources.deployments, 'web', { namespace, propagationPolicy: policy });
    await until(policy, () => {
      const sets = listed<ReplicaSet>(resources.replicaSets, namespace);
      const isFree = sets.every(({ metadata }) => (metadata.ownerReferences ?? []).length === 0);
      const owners = listed<Deployment>(resources.deployments, namespace);
      const pods = listed<Pod>(resources.pods, namespace);
      return owners.length === 0 && isFree && pods.length === podsLeft;
    });
  }
});

test('a namespace goes with everything in it, and gets its account and authority when made', async () => {
  await makeNamespace('leaving');
  const key = 'leaving/kube-root-ca.crt';
  await until('kube-root-ca.crt', () => {
    const authority = { fieldSelector: 'metadata.name=kube-root-ca.crt' };
    const configMaps = informers.informer<ConfigMap>(resources.configMaps, authority);
    const accounts = informers.informer(resources.serviceAccounts);
    return configMaps.get(key) !== undefined && accounts.get('leaving/default') !== undefined;
  });
  await client.create(resources.deployments, deployment('leaving', 'v1', 5));
  await until('rollout', () => isRolledOut('leaving', 'v1', 5));
  await client.delete(resources.namespaces, 'leaving');
  const namespaces = informers.informer<Namespace>(resources.namespaces);
  await until('namespace is gone', () => namespaces.get('leaving') === undefined);
  assert.deepEqual(listed<Pod>(resources.pods, 'leaving').map(objectKey), []);
});

test('a job runs its pods and is complete when enough have succeeded', async () => {
  await makeNamespace('work');
  const job: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'work', namespace: 'work' },
    spec: {
      parallelism: 2,
      completions: 5,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'ends' }] } },
    },
  };
  await client.create(resources.jobs, job);
  await until('job is complete', () => {
    const { status } = informers.informer<Job>(resources.jobs).get('work/work') ?? {};
    return status?.conditions?.some(({ type }) => type === 'Complete') === true;
  });
  const { status } = await client.get<Job>(resources.jobs, 'work', { namespace: 'work' });
  assert.deepEqual([status?.succeeded, status?.uncountedTerminatedPods], [5, {}]);
  await client.delete(resources.jobs, 'work', {
    namespace: 'work',
    propagationPolicy: 'Background',
  });
  await until('pods are gone', () => listed<Pod>(resources.pods, 'work').length === 0);
});

test('a node gets its pod range and is tainted until it is ready', async () => {
  const nodes = informers.informer<Node>(resources.nodes);
  await until('podCIDR', () => nodes.get('n1')?.spec?.podCIDR === '10.42.0.0/24');
});

test('nothing was worth a warning', () => {
  assert.deepEqual(logLines, []);
});
