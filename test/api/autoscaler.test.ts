import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';

import { formatTime, systemClock } from '#base/clock.ts';
import type { Pod } from '#schema/types.ts';
import type { Answer } from './answer.ts';
import { playUsage } from './play-usage.ts';
import type { PlayedNode } from './play-usage.ts';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

const merge = { 'Content-Type': 'application/merge-patch+json' };
const hpas = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
const deployments = '/apis/apps/v1/namespaces/default/deployments';

/** Conditions of an autoscaler as `Type=Status Reason`. */
function conditions(answer: Answer): string[] {
  const found = (answer.at('status.conditions') ?? []) as Record<string, string>[];
  return found.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

suite('HorizontalPodAutoscaler', () => {
  let api: TestApi;
  let node: PlayedNode;
  const stop = new AbortController();
  let playing: Promise<void>;

  /** Pods that are bound have been running for ten minutes, each with half a core. */
  const play = async (): Promise<void> => {
    const longAgo = formatTime(systemClock.now() - 600_000);
    while (!stop.signal.aborted) {
      const pods = (await api.request('GET', '/api/v1/pods')).at('items') as Pod[];
      for (const { metadata, spec, status } of pods) {
        const path = `/api/v1/namespaces/default/pods/${metadata.name}`;
        if (metadata.deletionTimestamp !== undefined) {
          await api.request('DELETE', `${path}?gracePeriodSeconds=0`);
        } else if (spec?.nodeName === 'n1' && status?.phase === 'Pending') {
          const usage = { cores: 0.5, memoryBytes: 2 ** 24 };
          node.usage.set(`default/${metadata.name}/app`, usage);
          const ready = { type: 'Ready', status: 'True', lastTransitionTime: longAgo };
          const running = { phase: 'Running', startTime: longAgo, conditions: [ready] };
          await api.request('PATCH', `${path}/status`, {
            body: { status: running },
            headers: merge,
          });
        }
      }
      await systemClock.sleep(30, stop.signal).catch(() => undefined);
    }
  };
  const deploy = async (name: string, requests: object): Promise<void> => {
    const labels = { app: name };
    const containers = [{ name: 'app', image: 'x', resources: { requests } }];
    const body = {
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    };
    const created = await api.request('POST', deployments, { body });
    assert.equal(created.status, 201, created.text);
  };
  const autoscale = async (name: string, kind: string, spec: object): Promise<void> => {
    const apiVersion = kind === 'Herd' ? 'acme.com/v1' : 'apps/v1';
    const scaleTargetRef = { apiVersion, kind, name };
    const body = { metadata: { name }, spec: { scaleTargetRef, ...spec } };
    const created = await api.request('POST', hpas, { body });
    assert.equal(created.status, 201, created.text);
  };
  const measured = async (selector: string): Promise<void> => {
    const path = `/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=${selector}`;
    await api.until(path, (answer) => (answer.at('items') as unknown[]).length > 0);
  };

  before(async () => {
    api = await startTestApi();
    await api.until('/api/v1/namespaces/default/serviceaccounts/default', (a) => a.status === 200);
    node = await playUsage(api, 'n1');
    playing = play();
    await deploy('web', { cpu: '200m' });
    await deploy('bare', {});
    const pod = {
      metadata: { name: 'cow', labels: { herd: 'cows' } },
      spec: { containers: [{ name: 'app', image: 'x' }] },
    };
    await api.request('POST', '/api/v1/namespaces/default/pods', { body: pod });
    await measured('app=web');
  });
  after(async () => {
    stop.abort();
    await playing;
    await node.close();
    await api.close();
  });

  test('grows a Deployment to what its pods use, and says so', async () => {
    const { code, stderr } = await api.kubectl([
      'autoscale',
      'deployment',
      'web',
      '--cpu-percent=100',
      '--min=1',
      '--max=6',
    ]);
    assert.equal(code, 0, stderr);
    // 500m of 200m are 250 %
    await api.until(`${deployments}/web`, (answer) => answer.at('spec.replicas') === 3);
    const answer = await api.until(`${hpas}/web`, (one) => one.at('status.desiredReplicas') === 3);
    assert.deepEqual(conditions(answer), [
      'AbleToScale=True SucceededRescale',
      'ScalingActive=True ValidMetricFound',
      'ScalingLimited=False DesiredWithinRange',
    ]);
    assert.equal(answer.at('status.currentReplicas'), 1);
    assert.equal(answer.at('status.currentMetrics.0.resource.current.averageUtilization'), 250);
    const { stdout } = await api.kubectl(['get', 'hpa', 'web']);
    assert.match(stdout, /web\s+Deployment\/web\s+cpu: 250%\/100%\s+1\s+6\s+\d/);
    const events = await api.kubectl([
      'get',
      'events',
      '--field-selector=reason=SuccessfulRescale',
    ]);
    assert.match(
      events.stdout,
      /New size: 3; reason: cpu resource utilization \(percentage of request\) above target/,
    );
    for (const [path, spec] of [
      [`${deployments}/web`, { replicas: 0 }],
      [`${hpas}/web`, { maxReplicas: 7 }],
    ] as const) {
      await api.request('PATCH', path, { body: { spec }, headers: merge });
    }
    const off = await api.until(
      `${hpas}/web`,
      (one) => conditions(one)[1]?.includes('Disabled') === true,
    );
    assert.equal(off.at('status.currentMetrics') ?? null, null);
  });

  test('says why it cannot compute a size', async () => {
    const target = { type: 'Utilization', averageUtilization: 50 };
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    await autoscale('bare', 'Deployment', { maxReplicas: 5, metrics });
    const answer = await api.until(`${hpas}/bare`, (one) => conditions(one).length === 2);
    assert.deepEqual(conditions(answer), [
      'AbleToScale=True SucceededGetScale',
      'ScalingActive=False FailedGetResourceMetric',
    ]);
    assert.match(
      String(answer.at('status.conditions.1.message')),
      /^the HPA was unable to compute the replica count: failed to get cpu utilization: /,
    );
  });

  test('a target that is not there, a size of zero, bounds, a custom metric', async () => {
    await autoscale('ghost', 'Deployment', { maxReplicas: 2 });
    const ghost = await api.until(`${hpas}/ghost`, (one) => conditions(one).length > 0);
    assert.equal(
      ghost.at('status.conditions.0.message'),
      `the HPA controller was unable to get the target's current scale: deployments.apps "ghost" not found`,
    );
    await deploy('off', { cpu: '1' });
    const size = async (replicas: number): Promise<void> => {
      const body = { spec: { replicas } };
      await api.request('PATCH', `${deployments}/off`, { body, headers: merge });
    };
    await size(0);
    await autoscale('off', 'Deployment', { maxReplicas: 4, minReplicas: 2 });
    const off = await api.until(`${hpas}/off`, (one) => conditions(one).length > 1);
    assert.equal(conditions(off)[1], 'ScalingActive=False ScalingDisabled');
    await size(1);
    const poke = { spec: { maxReplicas: 5 } };
    const poked = await api.request('PATCH', `${hpas}/off`, { body: poke, headers: merge });
    assert.equal(poked.status, 200, poked.text);
    await api.until(`${deployments}/off`, (answer) => answer.at('spec.replicas') === 2);
    await deploy('queue', { cpu: '1' });
    const external = { metric: { name: 'depth' }, target: { type: 'Value', value: '10' } };
    const metrics = [{ type: 'External', external }];
    await autoscale('queue', 'Deployment', { maxReplicas: 4, metrics });
    const queue = await api.until(`${hpas}/queue`, (one) => conditions(one).length > 1);
    assert.equal(
      queue.at('status.conditions.1.message'),
      'the HPA was unable to compute the replica count: failed to get external metric depth: unable to get external metric default/depth/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get depth.external.metrics.k8s.io)',
    );
  });

  test('custom resources with a scale are scaled, too', async () => {
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'herds.acme.com' },
      spec: {
        group: 'acme.com',
        scope: 'Namespaced',
        names: { plural: 'herds', kind: 'Herd' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            subresources: {
              status: {},
              scale: {
                specReplicasPath: '.spec.size',
                statusReplicasPath: '.status.size',
                labelSelectorPath: '.status.selector',
              },
            },
          },
        ],
      },
    };
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await api.request('POST', definitions, { body: crd });
    const herds = '/apis/acme.com/v1/namespaces/default/herds';
    await api.until(herds, (answer) => answer.status === 200);
    const herd = {
      apiVersion: 'acme.com/v1',
      kind: 'Herd',
      metadata: { name: 'cows' },
      spec: { size: 1 },
    };
    await api.request('POST', herds, { body: herd });
    await api.request('PATCH', `${herds}/cows/status`, {
      body: { status: { size: 1, selector: 'herd=cows' } },
      headers: merge,
    });
    await measured('herd=cows');
    const target = { type: 'AverageValue', averageValue: '250m' };
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    await autoscale('cows', 'Herd', { maxReplicas: 5, metrics });
    await api.until(`${herds}/cows`, (answer) => answer.at('spec.size') === 2);
    const answer = await api.until(`${hpas}/cows`, (one) => one.at('status.desiredReplicas') === 2);
    assert.equal(answer.at('status.currentMetrics.0.resource.current.averageValue'), '500m');
  });
});
