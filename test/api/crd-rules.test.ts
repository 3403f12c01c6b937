/** A definition as those of the Gateway API: defaults in defaults, rules over lists, libraries of CEL. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

const group = 'gw.example.com';
const gateways = `/apis/${group}/v1/namespaces/default/gateways`;

const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength });
const listener = {
  type: 'object',
  required: ['name', 'port', 'protocol'],
  properties: {
    name: text(253),
    port: { type: 'integer', format: 'int32', minimum: 1, maximum: 65535 },
    protocol: text(255),
    tls: {
      type: 'object',
      properties: {
        mode: { type: 'string', default: 'Terminate', enum: ['Terminate', 'Passthrough'] },
        refs: { type: 'array', maxItems: 64, items: text(253) },
      },
      'x-kubernetes-validations': [
        { message: 'refs are missing', rule: "self.mode != 'Terminate' || has(self.refs)" },
      ],
    },
    routes: {
      type: 'object',
      default: {},
      properties: {
        namespaces: {
          type: 'object',
          default: { from: 'Same' },
          properties: { from: { type: 'string', default: 'Same' } },
        },
      },
    },
  },
};
const spec = {
  type: 'object',
  required: ['listeners'],
  properties: {
    listeners: {
      type: 'array',
      minItems: 1,
      maxItems: 64,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: listener,
      'x-kubernetes-validations': [
        {
          message: 'no tls for HTTP',
          rule: "self.all(l, l.protocol == 'HTTP' ? !has(l.tls) : true)",
        },
        {
          message: 'ports must be unique',
          rule: 'self.all(a, self.exists_one(b, a.port == b.port && a.protocol == b.protocol))',
        },
      ],
    },
    port: {
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      'x-kubernetes-int-or-string': true,
      pattern: '^\\d+$',
    },
    size: {
      ...text(20),
      'x-kubernetes-validations': [
        { message: 'too small', rule: "quantity(self).isGreaterThan(quantity('1Ki'))" },
      ],
    },
    ip: {
      ...text(40),
      'x-kubernetes-validations': [{ rule: 'isIP(self) && ip(self).family() == 4' }],
    },
  },
};

describe('a definition with many rules', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
    const openAPIV3Schema = { type: 'object', required: ['spec'], properties: { spec } };
    const made = await api.request(
      'POST',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      {
        body: {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: `gateways.${group}` },
          spec: {
            group,
            scope: 'Namespaced',
            names: { plural: 'gateways', kind: 'Gateway' },
            versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
          },
        },
      },
    );
    assert.equal(made.status, 201, made.text);
    await api.until(gateways, ({ status }) => status === 200);
  });
  after(async () => await api.close());

  const create = (name: string, value: object): ReturnType<TestApi['request']> =>
    api.request('POST', gateways, {
      body: { apiVersion: `${group}/v1`, kind: 'Gateway', metadata: { name }, spec: value },
    });

  it('takes objects that keep them, and fills in defaults at every depth', async () => {
    const answer = await create('good', {
      listeners: [
        { name: 'a', port: 80, protocol: 'HTTP' },
        { name: 'b', port: 443, protocol: 'HTTPS', tls: { refs: ['s'] } },
      ],
      port: 8080,
      size: '2Mi',
      ip: '10.0.0.1',
    });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(answer.at('spec.listeners.*.routes.namespaces.from'), ['Same', 'Same']);
    assert.equal(answer.at('spec.listeners.1.tls.mode'), 'Terminate');
  });

  it('tells all that are broken at once', async () => {
    const answer = await create('bad', {
      listeners: [
        { name: 'a', port: 80, protocol: 'HTTP', tls: {} },
        { name: 'b', port: 80, protocol: 'HTTP' },
      ],
      port: 'x',
      size: '2',
      ip: '::1',
    });
    assert.equal(answer.status, 422);
    const causes = answer.at('details.causes') as { field: string; message: string }[];
    assert.deepEqual(causes.map(({ field, message }) => `${field}: ${message}`).toSorted(), [
      'spec.ip: Invalid value: "::1": failed rule: isIP(self) && ip(self).family() == 4',
      'spec.listeners: Invalid value: no tls for HTTP',
      'spec.listeners: Invalid value: ports must be unique',
      'spec.listeners[0].tls: Invalid value: refs are missing',
      'spec.port: Invalid value: "x": spec.port in body should match \'^\\d+$\'',
      'spec.size: Invalid value: "2": too small',
    ]);
  });

  it('runs no rules on objects of the wrong shape', async () => {
    const answer = await create('shape', { listeners: [{ name: 'a', port: 80 }] });
    assert.match(answer.text, /spec\.listeners\[0\]\.protocol: Required value/);
    assert.match(
      answer.text,
      /some validation rules were not checked because the object was invalid/,
    );
  });
});
