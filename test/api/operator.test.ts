/** The sample operator of examples/operator at work, through a restart of the server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';

import { runOperator } from '../../examples/operator/operator.ts';
import type { Answer } from './answer.ts';
import type { PlayedKubelet } from './play-kubelet.ts';
import { playKubelet } from './play-kubelet.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const sites = '/apis/examples.k3ts.dev/v1/namespaces/default/websites';
const lease = '/apis/coordination.k8s.io/v1/namespaces/default/leases/website-operator';
const hooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const index = '/api/v1/namespaces/default/configmaps/website-index';
const deployments = '/apis/apps/v1/namespaces/default/deployments';

interface Instance {
  readonly lines: string[];
  stop(): Promise<void>;
}

describe('the sample operator', () => {
  let api: TestApi;
  let kubelet: PlayedKubelet;
  let first: Instance;
  let second: Instance;

  function start(identity: string): Instance {
    const config = new KubeConfig();
    config.loadFromFile(api.kubeconfig);
    const stop = new AbortController();
    const lines: string[] = [];
    const running = runOperator({
      config,
      identity,
      namespace: 'default',
      webhookHost: '127.0.0.1',
      webhookPort: 0,
      leaseDurationMs: 5000,
      signal: stop.signal,
      log: (line) => lines.push(line),
    });
    return {
      lines,
      async stop() {
        stop.abort();
        await running;
      },
    };
  }

  const site = (name: string, spec: object): object => ({
    apiVersion: 'examples.k3ts.dev/v1',
    kind: 'Website',
    metadata: { name },
    spec,
  });
  const create = (name: string, spec: object): Promise<Answer> =>
    api.request('POST', sites, { body: site(name, spec) });
  const merge = (path: string, body: object): Promise<Answer> => {
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    return api.request('PATCH', path, { body, headers });
  };
  const untilReady = (name: string, readyReplicas: number): Promise<Answer> =>
    api.until(
      `${sites}/${name}`,
      (answer) =>
        answer.at('status.conditions.0.status') === 'True' &&
        answer.at('status.readyReplicas') === readyReplicas &&
        answer.at('status.observedGeneration') === answer.at('metadata.generation'),
    );

  before(async () => {
    api = await startTestApi({ datastoreEndpoint: '' });
    kubelet = await playKubelet(api, ['n1']);
    first = start('first');
    await api.until(lease, (answer) => answer.at('spec.holderIdentity') === 'first');
    second = start('second');
    await api.until(sites, ({ status }) => status === 200);
    await api.until(hooks, ({ text }) => text.includes('check.websites'));
  });

  after(async () => {
    await Promise.all([first.stop(), second.stop()]);
    await kubelet.stop();
    await api.close();
  });

  test('webhooks default and judge what is written', async () => {
    const made = await create('home', { page: '<h1>Hello</h1>' });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(made.at('spec'), {
      page: '<h1>Hello</h1>',
      replicas: 1,
      image: 'nginx:alpine',
    });
    const refused = await create('bad', { page: '<script>alert(1)</script>' });
    assert.deepEqual(
      [refused.status, refused.at('message')],
      [
        422,
        'admission webhook "check.websites.examples.k3ts.dev" denied the request: spec.page: scripts are not allowed',
      ],
    );
    const plain = await create('plain', { page: 'no elements' });
    assert.equal(plain.headers['warning'], '299 - "spec.page has no HTML elements"');
    const long = await create('long', { page: 'x'.repeat(10_001) });
    assert.match(String(long.at('message')), /spec\.page: Too long: may not be more than 10000/);
  });

  test('children, status and index follow the site', async () => {
    await untilReady('home', 1);
    const deployment = await api.request('GET', `${deployments}/home`);
    assert.equal(deployment.at('metadata.ownerReferences.0.kind'), 'Website');
    assert.equal(deployment.at('metadata.managedFields.0.operation'), 'Apply');
    const page = await api.request('GET', '/api/v1/namespaces/default/configmaps/home');
    assert.deepEqual(page.at('data'), { 'index.html': '<h1>Hello</h1>' });
    await untilReady('plain', 1);
    const lines = await api.request('GET', index);
    assert.deepEqual(lines.at('data'), {
      'default.home': 'http://home.default.svc',
      'default.plain': 'http://plain.default.svc',
    });
    const scaled = await api.kubectl(['scale', 'website/home', '--replicas=3']);
    assert.equal(scaled.stdout, 'website.examples.k3ts.dev/home scaled\n', scaled.stderr);
    await untilReady('home', 3);
    const scale = await api.kubectl(['get', 'site', 'home', '--subresource=scale']);
    assert.match(scale.stdout, /^NAME +DESIRED +AVAILABLE +AGE\nhome +3 +3 +\d+s\n$/);
    const table = await api.kubectl(['get', 'site', 'home']);
    assert.match(table.stdout, /^NAME +WANTED +READY +AGE\nhome +3 +3 +\d+s\n$/);
  });

  test('work goes on after the server was away', async () => {
    await kubelet.stop();
    await api.restart();
    kubelet = await playKubelet(api, ['n1']);
    await merge(`${sites}/home`, { spec: { replicas: 2 } });
    await untilReady('home', 2);
    // someone else's change of what the operator applied is taken back
    await merge(`${deployments}/home`, { spec: { replicas: 0 } });
    await api.until(`${deployments}/home`, (answer) => answer.at('spec.replicas') === 2);
    assert.equal((await create('late', { page: '<p>late</p>' })).at('spec.replicas'), 1);
    await untilReady('late', 1);
  });

  test('another instance takes over from one that stops', async () => {
    const leader = await api.request('GET', lease);
    const urlOf = (answer: Answer): unknown => answer.at('items.0.webhooks.0.clientConfig.url');
    const url = urlOf(await api.request('GET', hooks));
    const holder = leader.at('spec.holderIdentity') as string;
    const transitions = leader.at('spec.leaseTransitions') as number;
    await (holder === 'first' ? first : second).stop();
    const next = await api.until(lease, (answer) => {
      const now = answer.at('spec.holderIdentity');
      return now !== '' && now !== holder;
    });
    assert.equal(next.at('spec.leaseTransitions'), transitions + 1);
    // writes are refused until its own webhooks are the registered ones
    await api.until(hooks, (answer) => urlOf(answer) !== url);
    const changed = await merge(`${sites}/home`, { spec: { page: '<h1>Again</h1>' } });
    assert.equal(changed.status, 200, changed.text);
    const path = '/api/v1/namespaces/default/configmaps/home';
    await api.until(path, (answer) => answer.text.includes('Again'));
  });

  test('a site that goes takes its line and its children along', async () => {
    const gone = await api.kubectl(['delete', 'site', 'home', 'plain', '--timeout=60s']);
    assert.equal(gone.code, 0, gone.stderr);
    await api.until(`${deployments}/home`, ({ status }) => status === 404);
    const lines = await api.request('GET', index);
    assert.deepEqual(lines.at('data'), { 'default.late': 'http://late.default.svc' });
  });
});
