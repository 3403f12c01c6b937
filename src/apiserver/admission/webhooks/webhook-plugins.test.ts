import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { FakeObjectReader } from '../../authz/fake-object-reader.ts';
import { RequestTrail } from '../../request-trail.ts';
import { WebhookCallError } from '../../webhook-client/mod.ts';
import { AdmissionChain } from '../../pipeline/admission-chain.ts';
import { fakeAttributes } from '../fake-attributes.ts';
import type { FakeWrite } from '../fake-attributes.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { createMutatingWebhookPlugin, createValidatingWebhookPlugin } from './mod.ts';
import type { WebhookPluginOptions } from './mod.ts';

interface SentReview {
  readonly apiVersion: string;
  readonly request: { readonly uid: string; readonly object: unknown };
}

const group = 'admissionregistration.k8s.io';
const newWrite = (): FakeWrite => ({
  resource: 'configmaps',
  object: { metadata: { name: 'm', namespace: 'ns' } },
});

let reader: FakeObjectReader;
let asked: string[];
let sent: SentReview[];
let annotations: Map<string, string>;
let answer: (url: string) => Record<string, unknown>;

function options(): WebhookPluginOptions {
  return {
    reader,
    equivalents: { of: () => [], convert: (object) => object, onChange: () => () => undefined },
    client: {
      async call({ url = '' }, body) {
        asked.push(url);
        const review = JSON.parse(body as string) as SentReview;
        sent.push(review);
        const { apiVersion, request } = review;
        const response = { uid: request.uid, allowed: true, ...answer(url) };
        return { kind: 'AdmissionReview', apiVersion, response };
      },
      close: () => undefined,
    },
    conditions: { check: () => Promise.resolve(true) },
    clock: new FakeClock(),
    random: seededRandom(1),
    log: silentLogger,
  };
}

function configure(kind: 'mutating' | 'validating', name: string, ...webhooks: object[]): void {
  const resource = { group, version: 'v1', resource: `${kind}webhookconfigurations` };
  reader.put(resource, { metadata: { name }, webhooks } as never);
}

function webhook(url: string, changes: object = {}): object {
  return {
    name: `${url}.example.com`,
    clientConfig: { url },
    rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...changes,
  };
}

async function mutate(...plugins: AdmissionPlugin[]): Promise<AdmissionAttributes> {
  const attributes = fakeAttributes(newWrite());
  const trail = new RequestTrail();
  trail.audit = { annotations, annotate: (key, value) => void annotations.set(key, value) };
  Object.assign(attributes.context, { trail, query: new URLSearchParams() });
  const chain = new AdmissionChain(plugins);
  await chain.mutate(attributes);
  await chain.validate(attributes);
  return attributes;
}

function patch(...operations: object[]): Record<string, unknown> {
  const text = Buffer.from(JSON.stringify(operations)).toString('base64');
  return { patchType: 'JSONPatch', patch: text };
}

describe('webhook plugins', () => {
  beforeEach(() => {
    reader = new FakeObjectReader();
    asked = [];
    sent = [];
    annotations = new Map();
    answer = () => ({});
  });

  test('ask in the order of the names of configurations, and follow their changes', async () => {
    const plugin = createMutatingWebhookPlugin(options());
    assert.equal(plugin.handles(fakeAttributes(newWrite())), false);
    configure('mutating', 'b', webhook('three'));
    configure('mutating', 'a', webhook('one'), webhook('two'));
    await mutate(plugin);
    assert.deepEqual(asked, ['one', 'two', 'three']);
    asked = [];
    const resource = { group, version: 'v1', resource: 'mutatingwebhookconfigurations' };
    reader.remove(resource, '', 'a');
    configure('mutating', 'b', webhook('four', { rules: [] }));
    await mutate(plugin);
    assert.deepEqual(asked, []);
  });

  test('write down what was mutated, by whom, and what was ignored', async () => {
    configure('mutating', 'a', webhook('x'), webhook('y', { failurePolicy: 'Ignore' }));
    configure('validating', 'a', webhook('z', { failurePolicy: 'Ignore' }));
    answer = (url) => {
      if (url !== 'x') throw new WebhookCallError('gone');
      const operation = { op: 'add', path: '/data', value: { a: '1' } };
      return { ...patch(operation), auditAnnotations: { why: 'so' } };
    };
    await mutate(createMutatingWebhookPlugin(options()), createValidatingWebhookPlugin(options()));
    const named = (webhookName: string, mutated: boolean): string =>
      JSON.stringify({ configuration: 'a', webhook: `${webhookName}.example.com`, mutated });
    const prefix = 'mutation.webhook.admission.k8s.io';
    assert.equal(annotations.get(`${prefix}/round_0_index_0`), named('x', true));
    assert.equal(annotations.get(`${prefix}/round_0_index_1`), named('y', false));
    assert.equal(annotations.get('x.example.com/why'), 'so');
    assert.equal(annotations.get(`failed-open.${prefix}/round_0_index_1`), 'y.example.com');
    const validating = 'failed-open.validating.webhook.admission.k8s.io/round_0_index_0';
    assert.equal(annotations.get(validating), 'z.example.com');
    assert.match(
      annotations.get('patch.webhook.admission.k8s.io/round_0_index_0') ?? '',
      /"patch":\[\{"op":"add","path":"\/data"/,
    );
  });

  test('are asked again after a plugin of this server changed what they left', async () => {
    configure('mutating', 'a', webhook('x', { reinvocationPolicy: 'IfNeeded' }), webhook('y'));
    let rounds = 0;
    const own: AdmissionPlugin = {
      name: 'Own',
      handles: () => true,
      mutate({ object }) {
        rounds++;
        if (object !== undefined) object.metadata.labels = { round: String(rounds) };
      },
    };
    answer = (url) => (url === 'y' ? patch({ op: 'add', path: '/data', value: { y: '1' } }) : {});
    const { object } = await mutate(own, createMutatingWebhookPlugin(options()));
    assert.equal(rounds, 2);
    assert.deepEqual(asked, ['x', 'y', 'x']);
    assert.deepEqual(object?.metadata.labels, { round: '2' });
  });

  test('speak the first version that a webhook lists and this server knows', async () => {
    const admissionReviewVersions = ['v2', 'v1beta1', 'v1'];
    configure('validating', 'a', webhook('x', { admissionReviewVersions }));
    await mutate(createValidatingWebhookPlugin(options()));
    assert.equal(sent[0]?.apiVersion, 'admission.k8s.io/v1beta1');
  });

  test('show a webhook what the one before it left', async () => {
    configure('mutating', 'a', webhook('x'), webhook('y'));
    answer = (url) => (url === 'x' ? patch({ op: 'add', path: '/data', value: { x: '1' } }) : {});
    const { object } = await mutate(createMutatingWebhookPlugin(options()));
    assert.deepEqual(sent[1]?.request.object, {
      metadata: { name: 'm', namespace: 'ns' },
      data: { x: '1' },
    });
    assert.deepEqual(object, sent[1]?.request.object);
  });
});
