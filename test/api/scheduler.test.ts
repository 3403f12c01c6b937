import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { CoreV1EventList, PersistentVolumeClaim, Pod } from '#schema/types.ts';
import { podsPath, schedulerCluster } from './scheduler-cluster.ts';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

describe('scheduler', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(async () => await api.close());

  const create = async (path: string, body: unknown): Promise<void> => {
    const answer = await api.request('POST', path, { body });
    assert.ok(answer.status < 300, answer.text);
  };
  const anti = (key: string, app: string) => ({
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: key, labelSelector: { matchLabels: { app } } },
      ],
    },
  });

  it('binds where there is room and tells in condition and event where there is none', async () => {
    const cluster = schedulerCluster(api, 'room');
    await cluster.addNode('room-a', { cpu: '1' });
    await cluster.addNode('room-b', { cpu: '1' });
    for (const name of ['room-1', 'room-2']) await cluster.addPod(name);
    const nodes = [await cluster.nodeOf('room-1'), await cluster.nodeOf('room-2')];
    assert.deepEqual(new Set(nodes), new Set(['room-a', 'room-b']));
    await cluster.addPod('room-3');
    const text = await cluster.refusalOf('room-3');
    assert.match(text, /^0\/2 nodes are available: 2 Insufficient cpu\. /);
    const events = `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=room-3`;
    await api.until(events, (answer) => (answer.json as CoreV1EventList).items.length > 0);
    const [event] = ((await api.request('GET', events)).json as CoreV1EventList).items;
    assert.equal(event?.reason, 'FailedScheduling');
    assert.equal(event.message, text);
    assert.equal(event.action, 'Scheduling');
    assert.equal(event.source?.component, 'default-scheduler');
    await api.request('DELETE', `${podsPath}/room-1?gracePeriodSeconds=0`);
    assert.equal(await cluster.nodeOf('room-3'), nodes[0]);
    await api.request('DELETE', '/api/v1/nodes/room-a');
    await api.request('DELETE', '/api/v1/nodes/room-b');
  });

  it('a pod with gates waits until they are gone', async () => {
    const cluster = schedulerCluster(api, 'gate');
    await cluster.addNode('gate-a');
    await cluster.addPod('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
    const [condition] = (await cluster.pod('gated')).status?.conditions ?? [];
    assert.equal(condition?.reason, 'SchedulingGated');
    const answer = await api.request('PATCH', `${podsPath}/gated`, {
      body: { spec: { schedulingGates: null } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(await cluster.nodeOf('gated'), 'gate-a');
  });

  it('spreads over zones and keeps pods apart', async () => {
    const cluster = schedulerCluster(api, 'zones');
    for (const [name, zone] of [
      ['zone-a1', 'a'],
      ['zone-a2', 'a'],
      ['zone-b1', 'b'],
    ] as const) {
      await cluster.addNode(name, { labels: { 'topology.kubernetes.io/zone': zone } });
    }
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'spread' } },
        },
      ],
    };
    const names = ['spread-1', 'spread-2', 'spread-3', 'spread-4'];
    for (const name of names) await cluster.addPod(name, spread, { app: 'spread' });
    const nodes = await Promise.all(names.map((name) => cluster.nodeOf(name)));
    assert.equal(nodes.filter((name) => name === 'zone-b1').length, 2, nodes.join());
    const apart = { affinity: anti('topology.kubernetes.io/zone', 'apart') };
    await cluster.addPod('apart-1', apart, { app: 'apart' });
    await cluster.addPod('apart-2', apart, { app: 'apart' });
    await cluster.addPod(
      'apart-3',
      { ...apart, nodeSelector: { group: 'zones' } },
      { app: 'apart' },
    );
    const zones = [await cluster.nodeOf('apart-1'), await cluster.nodeOf('apart-2')];
    assert.equal(new Set(zones.map((name) => name.slice(0, 6))).size, 2, zones.join());
    assert.match(
      await cluster.refusalOf('apart-3'),
      /3 node\(s\) didn't match pod anti-affinity rules/,
    );
  });

  it('a pod for one named node says of the others that they did not satisfy NodeAffinity', async () => {
    const cluster = schedulerCluster(api, 'named');
    await cluster.addNode('named-a', { cpu: '1' });
    const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['named-a'] }] };
    const required = { nodeSelectorTerms: [term] };
    await cluster.addPod('named', {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
      containers: [{ name: 'c', image: 'web', resources: { requests: { cpu: '3' } } }],
    });
    const text = await cluster.refusalOf('named');
    assert.match(
      text,
      /1 Insufficient cpu, \d+ node\(s\) didn't satisfy plugin\(s\) \[NodeAffinity\]\. no new claims to deallocate, preemption: /,
    );
  });

  it('a claim that waits for its consumer gets the volume of the node that is chosen', async () => {
    const cluster = schedulerCluster(api, 'volume');
    await cluster.addNode('volume-a');
    await cluster.addNode('volume-b');
    await create('/apis/storage.k8s.io/v1/storageclasses', {
      metadata: { name: 'local' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: ['volume-b'] };
    await create('/api/v1/persistentvolumes', {
      metadata: { name: 'local-b' },
      spec: {
        storageClassName: 'local',
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        local: { path: '/mnt/b' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
      },
    });
    const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
    for (const name of ['data', 'more']) {
      await create(claims, {
        metadata: { name },
        spec: {
          storageClassName: 'local',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
        },
      });
    }
    const volumes = (claimName: string) => ({
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
    });
    await cluster.addPod('with-volume', volumes('data'));
    assert.equal(await cluster.nodeOf('with-volume'), 'volume-b');
    await api.until(`${claims}/data`, (answer) => answer.at('status.phase') === 'Bound');
    const bound = (await api.request('GET', `${claims}/data`)).json as PersistentVolumeClaim;
    assert.equal(bound.spec?.volumeName, 'local-b');
    await cluster.addPod('without-volume', volumes('more'));
    assert.match(
      await cluster.refusalOf('without-volume'),
      /2 node\(s\) didn't find available persistent volumes to bind/,
    );
    await cluster.addPod('no-claim', volumes('nothing'));
    assert.match(
      await cluster.refusalOf('no-claim'),
      /: persistentvolumeclaim "nothing" not found\. preemption: 0\/\d+ nodes are available: \d+ Preemption is not helpful for scheduling\.$/,
    );
  });

  it('a pod with resource claims stays pending and says why', async () => {
    const cluster = schedulerCluster(api, 'claims');
    await cluster.addNode('claims-a');
    await cluster.addPod('device', {
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }],
    });
    assert.match(await cluster.refusalOf('device'), /resource claims .* are not supported/);
  });

  it('preempts where no budget is broken, marks the victim and nominates the node', async () => {
    const cluster = schedulerCluster(api, 'preempt');
    await create('/apis/scheduling.k8s.io/v1/priorityclasses', {
      metadata: { name: 'high' },
      value: 1000,
    });
    await cluster.addNode('preempt-a', { cpu: '1' });
    await cluster.addNode('preempt-b', { cpu: '1' });
    // the finalizer keeps the victim visible after its deletion
    await create(podsPath, victim('free', 'preempt-a', ['example.com/keep']));
    await create(podsPath, victim('guarded', 'preempt-b'));
    for (const name of ['free', 'guarded']) {
      const ready = { type: 'Ready', status: 'True' };
      const answer = await api.request('PATCH', `${podsPath}/${name}/status`, {
        body: { status: { phase: 'Running', conditions: [ready] } },
        headers: { 'Content-Type': 'application/merge-patch+json' },
      });
      assert.equal(answer.status, 200, answer.text);
    }
    const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
    await create(budgets, {
      metadata: { name: 'keep' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
    });
    await api.until(`${budgets}/keep`, (answer) => answer.at('status.currentHealthy') === 1);
    await cluster.addPod('high', { priorityClassName: 'high' });
    await api.until(`${podsPath}/high`, (answer) => {
      return (answer.json as Pod).status?.nominatedNodeName === 'preempt-a';
    });
    await api.until(`${podsPath}/free`, (answer) => {
      return answer.at('metadata.deletionTimestamp') !== undefined;
    });
    const free = await cluster.pod('free');
    const target = free.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    assert.equal(target?.reason, 'PreemptionByScheduler');
    assert.equal(
      target.message,
      'default-scheduler: preempting to accommodate a higher priority pod',
    );
    assert.equal((await cluster.pod('guarded')).metadata.deletionTimestamp, undefined);
    const done = await api.request('PATCH', `${podsPath}/free`, {
      body: { metadata: { finalizers: null } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    assert.equal(done.status, 200, done.text);
    assert.equal(await cluster.nodeOf('high'), 'preempt-a');
    assert.equal((await cluster.pod('high')).status?.nominatedNodeName, undefined);
  });

  it('counts what it did', async () => {
    const { text } = await api.request('GET', '/metrics');
    const lines = text.split('\n');
    const value = (start: string): number =>
      Number(lines.find((line) => line.startsWith(`${start} `))?.split(' ')[1]);
    const attempts = 'scheduler_schedule_attempts_total{profile="default-scheduler",result=';
    assert.ok(value(`${attempts}"scheduled"}`) >= 8);
    assert.ok(value(`${attempts}"unschedulable"}`) >= 5);
    assert.equal(value('scheduler_preemption_victims_count'), 1);
    assert.ok(value('scheduler_pending_pods{queue="unschedulable"}') >= 4);
    assert.equal(value('scheduler_pending_pods{queue="active"}'), 0);
  });

  function victim(name: string, nodeName: string, finalizers: string[] = []) {
    const requests = { cpu: '1' };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: name }, finalizers },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'c', image: 'web', resources: { requests } }],
      },
    };
  }
});
