/** Addresses and ports of Services, pods' own subresources, and what clients are warned of. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { Answer } from './answer.ts';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const namespace = '/api/v1/namespaces/default';
const services = `${namespace}/services`;
const pods = `${namespace}/pods`;
let api: TestApi;

before(async () => {
  api = await startTestApi({ disableScheduler: true });
  await api.until(`${namespace}/serviceaccounts/default`, ({ status }) => status === 200);
});

after(() => api.close());

async function serve(name: string, spec: object): Promise<Answer> {
  const body = { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } };
  return await api.request('POST', services, { body });
}

async function merge(path: string, body: object): Promise<Answer> {
  const headers = { 'Content-Type': 'application/merge-patch+json' };
  return await api.request('PATCH', path, { body, headers });
}

async function addTo(path: string, body: object): Promise<Answer> {
  const headers = { 'Content-Type': 'application/strategic-merge-patch+json' };
  return await api.request('PATCH', path, { body, headers });
}

describe('addresses and ports', () => {
  test('an address of the range, by default and by wish', async () => {
    const any = await serve('any', {});
    assert.match(String(any.at('spec.clusterIP')), /^10\.43\./);
    assert.deepEqual(any.at('spec.clusterIPs'), [any.at('spec.clusterIP')]);
    assert.deepEqual(any.at('spec.ipFamilies'), ['IPv4']);
    const wished = await serve('wished', { clusterIP: '10.43.7.7' });
    assert.deepEqual(wished.at('spec.clusterIPs'), ['10.43.7.7']);
    const cases: [address: string, why: string][] = [
      ['10.43.7.7', 'provided IP is already allocated'],
      ['10.99.0.1', 'the provided network does not match the current range'],
    ];
    for (const [address, why] of cases) {
      const answer = await serve('refused', { clusterIP: address });
      assert.equal(
        answer.at('message'),
        `Service "refused" is invalid: spec.clusterIPs: Invalid value: ["${address}"]: failed to allocate IP ${address}: ${why}`,
      );
    }
    await api.request('DELETE', `${services}/wished`);
    assert.equal((await serve('wished', { clusterIP: '10.43.7.7' })).status, 201);
  });

  test('an address is an IPAddress as long as a service holds it', async () => {
    const path = '/apis/networking.k8s.io/v1/ipaddresses/10.43.7.8';
    const refused = await serve('owner', { clusterIP: '10.43.7.8', ports: [{ port: 0 }] });
    assert.equal(refused.status, 422, refused.text);
    assert.equal((await api.request('GET', path)).status, 404);
    const tried = await api.request('POST', `${services}?dryRun=All`, {
      body: { metadata: { name: 'owner' }, spec: { ports: [{ port: 80 }] } },
    });
    assert.equal(tried.at('spec.clusterIP'), '10.43.0.0');
    assert.equal((await serve('owner', { clusterIP: '10.43.7.8' })).status, 201);
    const found = await api.request('GET', path);
    assert.deepEqual(found.at('spec.parentRef'), {
      resource: 'services',
      namespace: 'default',
      name: 'owner',
    });
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const body = { spec: { type: 'ExternalName', externalName: 'a.b' } };
    await api.request('PATCH', `${services}/owner`, { body, headers });
    assert.equal((await api.request('GET', path)).status, 404);
  });

  test('what is given out is counted', async () => {
    const { text } = await api.request('GET', '/metrics');
    const family = (name: string): RegExp => new RegExp(`^kube_apiserver_${name} [1-9]`, 'm');
    assert.match(text, family('clusterip_allocator_allocated_ips{cidr="10.43.0.0/16"}'));
    const labels = '{cidr="10.43.0.0/16",scope="static"}';
    assert.match(text, family(`clusterip_allocator_allocation_total${labels}`));
    assert.match(text, family(`clusterip_allocator_allocation_errors_total${labels}`));
    assert.match(text, family('nodeport_allocator_available_ports'));
  });

  test('headless and external services have no address', async () => {
    const headless = await serve('headless', { clusterIP: 'None' });
    assert.deepEqual(
      [headless.status, headless.at('spec.clusterIPs')],
      [201, ['None']],
      headless.text,
    );
    const external = await serve('external', { type: 'ExternalName', externalName: 'a.b' });
    assert.deepEqual([external.status, external.at('spec.clusterIP')], [201, undefined]);
  });

  test('node ports are given, asked for and refused', async () => {
    const ports = (nodePort: number): object => ({
      type: 'NodePort',
      ports: [{ port: 80, nodePort }],
    });
    const any = Number((await serve('np', { type: 'NodePort' })).at('spec.ports.0.nodePort'));
    assert.ok(any >= 30_000 && any <= 32_767);
    const taken = await serve('np2', ports(any));
    assert.match(taken.text, /provided port is already allocated/);
    const outside = await serve('np2', ports(80));
    assert.match(outside.text, /The range of valid ports is 30000-32767/);
    const back = await merge(`${services}/np`, { spec: { type: 'ClusterIP' } });
    assert.deepEqual(
      [back.status, back.at('spec.ports.0.nodePort'), back.at('spec.externalTrafficPolicy')],
      [200, undefined, undefined],
      back.text,
    );
    assert.equal((await serve('np3', ports(any))).status, 201);
  });

  test('an address stays; an update that leaves it out keeps it', async () => {
    const before = await api.request('GET', `${services}/any`);
    const body = { metadata: { name: 'any' }, spec: { ports: [{ port: 81 }] } };
    const kept = await api.request('PUT', `${services}/any`, { body });
    assert.equal(kept.at('spec.clusterIP'), before.at('spec.clusterIP'), kept.text);
    const other = { clusterIP: '10.43.1.1', clusterIPs: ['10.43.1.1'] };
    const changed = await merge(`${services}/any`, { spec: other });
    assert.match(String(changed.at('message')), /spec.clusterIPs\[0\]: .*may not change once set/);
  });
});

describe('pods', () => {
  const template = { containers: [{ name: 'c', image: 'i' }] };

  test('a pod is bound once', async () => {
    await api.request('POST', pods, { body: { metadata: { name: 'p' }, spec: template } });
    const bind = (node: string): Promise<Answer> =>
      api.request('POST', `${pods}/p/binding`, {
        body: { metadata: { name: 'p' }, target: { kind: 'Node', name: node } },
      });
    const done = await bind('n1');
    assert.deepEqual([done.status, done.at('status')], [201, 'Success']);
    assert.equal(
      (await bind('n2')).at('message'),
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
    );
    const pod = await api.request('GET', `${pods}/p`);
    assert.equal(pod.at('spec.nodeName'), 'n1');
    assert.equal(pod.at('status.conditions.0.type'), 'PodScheduled');
  });

  test('debug containers and new images are let in, other changes are not', async () => {
    const spec = { ephemeralContainers: [{ name: 'debug', image: 'b' }] };
    const debug = await addTo(`${pods}/p/ephemeralcontainers`, { spec });
    assert.equal(debug.at('spec.ephemeralContainers.0.name'), 'debug');
    const image = { containers: [{ name: 'c', image: 'new' }] };
    assert.equal((await addTo(`${pods}/p`, { spec: image })).status, 200);
    const moved = await addTo(`${pods}/p`, { spec: { nodeName: 'n3' } });
    assert.match(String(moved.at('message')), /pod updates may not change fields other than/);
  });
});

describe('warnings', () => {
  const trial = async (path: string, body: object): Promise<readonly string[]> => {
    const answer = await api.request('POST', `${path}?dryRun=All`, { body });
    assert.equal(answer.status, 201, answer.text);
    return answer.warnings;
  };

  test('of pods and their templates, with paths', async () => {
    const spec = {
      nodeSelector: { 'beta.kubernetes.io/os': 'linux' },
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
          ports: [{ containerPort: 80 }, { containerPort: 80 }],
          resources: { limits: { memory: '100m' } },
        },
      ],
      terminationGracePeriodSeconds: -1,
    };
    const expected = (prefix: string): string[] => [
      `${prefix}spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead`,
      `${prefix}spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer`,
      `${prefix}spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply`,
      `${prefix}spec.containers[0].ports[1]: duplicate port definition with ${prefix}spec.containers[0].ports[0]`,
      `${prefix}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    ];
    const shown = await trial(pods, { metadata: { name: 'w' }, spec });
    // a request of the same amount is made from the limit
    const own = shown.filter((line) => !line.includes('requests'));
    assert.deepEqual(own, expected(''));
    const labels = { app: 'w' };
    const template = { metadata: { labels }, spec };
    const body = { metadata: { name: 'w' }, spec: { selector: { matchLabels: labels }, template } };
    const ofSet = await trial('/apis/apps/v1/namespaces/default/daemonsets', body);
    assert.deepEqual(
      ofSet.filter((line) => !line.includes('requests')),
      expected('spec.template.'),
    );
  });

  test('of services, names, claims and deprecated kinds', async () => {
    const ports = [{ port: 80 }];
    const external = { ports, externalIPs: ['192.0.2.1'] };
    assert.deepEqual(await trial(services, { metadata: { name: 'w' }, spec: external }), [
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    ]);
    const near = { ports, trafficDistribution: 'PreferClose' };
    assert.deepEqual(await trial(services, { metadata: { name: 'w' }, spec: near }), [
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ]);
    const list = await api.request('GET', `${namespace}/endpoints`);
    assert.deepEqual(list.warnings, [
      'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
    ]);
    const jobs = '/apis/batch/v1/namespaces/default/jobs';
    const pod = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
    const named = await trial(jobs, { metadata: { name: 'a.b' }, spec: { template: pod } });
    assert.match(String(named[0]), /^metadata.name: this is used in Pod names and hostnames/);
    await api.request('POST', jobs, { body: { metadata: { name: 'j' }, spec: { template: pod } } });
    const removed = await api.request('DELETE', `${jobs}/j`);
    assert.match(String(removed.warnings[0]), /^child pods are preserved by default/);
  });

  test('an older version of a kind is served and stored as the newer one', async () => {
    const path = (version: string): string =>
      `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' };
    const spec = { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 50 };
    await api.request('POST', path('v1'), { body: { metadata: { name: 'h' }, spec } });
    const old = await api.request('GET', `${path('v1')}/h`);
    assert.deepEqual(
      [old.at('apiVersion'), old.at('spec.targetCPUUtilizationPercentage')],
      ['autoscaling/v1', 50],
    );
    const now = await api.request('GET', `${path('v2')}/h`);
    assert.equal(at(now.json, 'spec.metrics.0.resource.target.averageUtilization'), 50);
  });
});
