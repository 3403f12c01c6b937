import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { readSchedulerArgs } from '#server/component-args/mod.ts';
import type { CoreV1EventList } from '#schema/types.ts';
import { podsPath, schedulerCluster } from './scheduler-cluster.ts';
import { startExtender } from './scheduler-extender.ts';
import type { ExtenderServer } from './scheduler-extender.ts';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

const plugin = join(import.meta.dirname, '../fixtures/night-shift-plugin.ts');

const configurationOf = (extenderUrl: string): string => `
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
podInitialBackoffSeconds: 1
profiles:
- schedulerName: default-scheduler
  plugins:
    multiPoint:
      disabled: [{name: NightShift}]
- schedulerName: packer
  plugins:
    multiPoint:
      disabled: [{name: NightShift}, {name: NodeResourcesBalancedAllocation}]
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy:
        type: MostAllocated
        resources: [{name: cpu, weight: 1}]
- schedulerName: night
extenders:
- urlPrefix: ${extenderUrl}
  filterVerb: filter
  prioritizeVerb: prioritize
  bindVerb: bind
  weight: 1
  nodeCacheCapable: true
  managedResources: [{name: example.com/widget, ignoredByScheduler: true}]
- urlPrefix: http://127.0.0.1:1/gone
  filterVerb: filter
  ignorable: true
`;

describe('scheduler with a configuration', () => {
  let api: TestApi;
  let extender: ExtenderServer;
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'k3ts-scheduler-'));
    extender = await startExtender(async (namespace, name, uid, node) => {
      const answer = await api.request(
        'POST',
        `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
        { body: { metadata: { name, uid }, target: { kind: 'Node', name: node } } },
      );
      assert.equal(answer.status, 201, answer.text);
    });
    const config = join(folder, 'scheduler.yaml');
    await writeFile(config, configurationOf(extender.url));
    api = await startTestApi({
      schedulerArgs: readSchedulerArgs([`config=${config}`, 'secure-port=0']),
      schedulerPlugins: [plugin],
    });
  });
  after(async () => {
    await api.close();
    await extender.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('a profile packs pods onto one node and records events under its name', async () => {
    const cluster = schedulerCluster(api, 'pack');
    for (const name of ['pack-a', 'pack-b', 'pack-c']) await cluster.addNode(name);
    const nodes = new Set<string>();
    for (const name of ['pack-1', 'pack-2', 'pack-3']) {
      await cluster.addPod(name, { schedulerName: 'packer' });
      nodes.add(await cluster.nodeOf(name));
    }
    assert.equal(nodes.size, 1);
    const path = '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=pack-1';
    await api.until(path, (answer) => (answer.json as CoreV1EventList).items.length > 0);
    const [event] = ((await api.request('GET', path)).json as CoreV1EventList).items;
    assert.equal(event?.source?.component, 'packer');
    assert.equal(event.message, `Successfully assigned default/pack-1 to ${[...nodes][0]}`);
  });

  it('a plugin of the user filters and scores for the profile that does not turn it off', async () => {
    const cluster = schedulerCluster(api, 'night');
    const label = 'example.com/shift';
    await cluster.addNode('night-a');
    await cluster.addNode('night-b', { labels: { [label]: 'night' } });
    await cluster.addNode('night-c', { labels: { [label]: 'closed' } });
    await cluster.addPod('sleeper', { schedulerName: 'night' });
    assert.equal(await cluster.nodeOf('sleeper'), 'night-b');
    await cluster.addPod('closed', {
      schedulerName: 'night',
      nodeSelector: { 'kubernetes.io/hostname': 'night-c' },
    });
    assert.match(await cluster.refusalOf('closed'), /1 node\(s\) are closed/);
  });

  it('an extender filters, scores and binds the pods of its resources only', async () => {
    const cluster = schedulerCluster(api, 'widget');
    for (const name of ['widget-no', 'widget-good', 'widget-best']) await cluster.addNode(name);
    const resources = { limits: { 'example.com/widget': '1' } };
    const containers = [{ name: 'c', image: 'web', resources }];
    await cluster.addPod('wants', { containers });
    assert.equal(await cluster.nodeOf('wants'), 'widget-best');
    assert.deepEqual(extender.asked, ['filter wants', 'prioritize wants', 'bind wants']);
    await cluster.addPod('refused', {
      containers,
      nodeSelector: { 'kubernetes.io/hostname': 'widget-no' },
    });
    assert.match(await cluster.refusalOf('refused'), /1 node\(s\) bore the extender/);
    await cluster.addPod('plain');
    await cluster.nodeOf('plain');
    assert.ok(!extender.asked.includes('filter plain'));
  });

  it('pods of a scheduler that is not here are left alone', async () => {
    const cluster = schedulerCluster(api, 'other');
    await cluster.addNode('other-a');
    await cluster.addPod('foreign', { schedulerName: 'somebody-else' });
    await cluster.addPod('ours');
    assert.equal(await cluster.nodeOf('ours'), 'other-a');
    const foreign = await cluster.pod('foreign');
    assert.equal(foreign.spec?.nodeName, undefined);
    assert.equal(foreign.status?.conditions, undefined);
    assert.equal((await api.request('GET', `${podsPath}/foreign`)).status, 200);
  });
});

describe('a configuration that no scheduler can be made of', () => {
  it('ends the start with its problem', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'k3ts-scheduler-'));
    const config = join(folder, 'scheduler.yaml');
    await writeFile(
      config,
      `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- plugins: {multiPoint: {enabled: [{name: Nope}]}}
`,
    );
    try {
      await assert.rejects(
        startTestApi({
          schedulerArgs: readSchedulerArgs([`config=${config}`, 'secure-port=0']),
        }),
        { code: 'Usage', message: /plugin "Nope" does not exist/ },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
