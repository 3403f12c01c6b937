import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { at } from './answer.ts';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

const group = 'stable.example.com';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const base = `/apis/${group}/v1/namespaces/default/crontabs`;

const text = { type: 'string' };
const schema = {
  type: 'object',
  description: 'A job by the clock',
  properties: {
    spec: {
      type: 'object',
      required: ['cronSpec'],
      properties: {
        cronSpec: {
          ...text,
          pattern: '^(\\d+|\\*)(\\s+(\\d+|\\*)){4}$',
          description: 'When it runs',
        },
        image: text,
        replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
        color: text,
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port'],
          items: {
            type: 'object',
            required: ['port'],
            properties: { port: { type: 'integer' }, name: text },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
      'x-kubernetes-validations': [
        { rule: "!has(self.image) || self.image != 'bad'", message: 'no bad images' },
        { rule: '!has(oldSelf.color) || self.color == oldSelf.color', message: 'color is fixed' },
      ],
    },
    status: {
      type: 'object',
      properties: { replicas: { type: 'integer' }, selector: text },
    },
  },
};

function definition(more: object = {}, version: object = {}): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `crontabs.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
          ],
          selectableFields: [{ jsonPath: '.spec.color' }],
          ...version,
        },
      ],
      ...more,
    },
  };
}

const tab = (name: string, spec: object = {}): object => ({
  apiVersion: `${group}/v1`,
  kind: 'CronTab',
  metadata: { name },
  spec: { cronSpec: '* * * * 5', ...spec },
});

describe('custom resources', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
    await api.request('POST', definitions, { body: definition() });
    await api.until(base, ({ status }) => status === 200);
  });
  after(async () => await api.close());

  it('are discovered, and described to kubectl explain', async () => {
    const list = await api.request('GET', `/apis/${group}/v1`);
    const names = (list.json as { resources: { name: string }[] }).resources.map(
      ({ name }) => name,
    );
    assert.deepEqual(names, ['crontabs', 'crontabs/scale', 'crontabs/status']);
    const explained = await api.kubectl(['explain', 'crontabs.spec.cronSpec']);
    assert.match(explained.stdout, /When it runs/);
    const resources = await api.kubectl(['api-resources', `--api-group=${group}`, '--no-headers']);
    assert.match(resources.stdout, /^crontabs\s+ct\s+stable\.example\.com\/v1\s+true\s+CronTab/);
    const waited = await api.kubectl([
      'wait',
      '--for=condition=Established',
      `crd/crontabs.${group}`,
    ]);
    assert.equal(waited.code, 0);
  });

  it('are discovered before anybody sees that they are established', async () => {
    const watch = await api.watch(`${definitions}?watch=true&resourceVersion=0`);
    const isEstablished = (object: object): boolean =>
      JSON.stringify(at(object, 'status.conditions') ?? []).includes('InitialNamesAccepted');
    for (const number of Array.from({ length: 5 }).keys()) {
      const own = `early${number}.example.com`;
      const names = { plural: 'earlies', singular: 'early', kind: 'Early' };
      const body = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `earlies.${own}` },
        spec: {
          group: own,
          names,
          scope: 'Cluster',
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object' } },
            },
          ],
        },
      };
      await api.request('POST', definitions, { body });
      for (;;) {
        const event = await watch.next();
        assert.ok(event !== undefined);
        const { object } = event;
        if (at(object, 'metadata.name') === `earlies.${own}` && isEstablished(object)) break;
      }
      const headers = {
        Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      };
      const all = await api.request('GET', '/apis', { headers });
      assert.ok(JSON.stringify(all.at('items.*.metadata.name')).includes(own));
      const resources = await api.request('GET', `/apis/${own}/v1`);
      assert.deepEqual(resources.at('resources.*.name'), ['earlies']);
      assert.equal((await api.request('GET', `/apis/${own}/v1/earlies`)).status, 200);
      await api.request('DELETE', `${definitions}/earlies.${own}`);
    }
    watch.close();
  });

  it('are validated, pruned and defaulted by their schema', async () => {
    const wrong = await api.request('POST', base, {
      body: tab('wrong', { cronSpec: 'x', replicas: 11, image: 5 }),
    });
    assert.equal(wrong.status, 422);
    const { details } = wrong.json as { details: { causes: { field: string; message: string }[] } };
    assert.deepEqual(
      details.causes.map(({ field, message }) => `${field}: ${message}`).slice(0, 3),
      [
        `spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match '^(\\d+|\\*)(\\s+(\\d+|\\*)){4}$'`,
        'spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10',
        'spec.image: Invalid value: "integer": spec.image in body must be of type string: "integer"',
      ],
    );
    const made = await api.request('POST', base, {
      body: tab('pruned', { bogus: 1, free: { any: { thing: [1] } } }),
    });
    assert.equal(made.status, 201);
    assert.deepEqual((made.json as { spec: unknown }).spec, {
      cronSpec: '* * * * 5',
      free: { any: { thing: [1] } },
      replicas: 1,
    });
    assert.match(String(made.headers['warning']), /unknown field \\"spec\.bogus\\"/);
    const strict = await api.request('POST', `${base}?fieldValidation=Strict`, {
      body: tab('strict', { bogus: 1 }),
    });
    assert.equal(strict.status, 400);
    assert.match(strict.text, /strict decoding error: unknown field \\"spec\.bogus\\"/);
  });

  it('obey rules in CEL, also about changes', async () => {
    const bad = await api.request('POST', base, { body: tab('cel', { image: 'bad' }) });
    assert.equal(bad.status, 422);
    assert.match(bad.text, /spec: Invalid value: no bad images/);
    await api.request('POST', base, { body: tab('cel', { color: 'red' }) });
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const changed = await api.request('PATCH', `${base}/cel`, {
      body: { spec: { color: 'blue' } },
      headers,
    });
    assert.match(changed.text, /spec: Invalid value: color is fixed/);
    const free = await api.request('PATCH', `${base}/cel`, {
      body: { spec: { image: 'x' } },
      headers,
    });
    assert.equal(free.status, 200);
  });

  it('have a status and a scale of their own', async () => {
    await api.request('POST', base, { body: tab('scaled') });
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const status = await api.request('PATCH', `${base}/scaled/status`, {
      body: { spec: { image: 'ignored' }, status: { replicas: 2, selector: 'a=b' } },
      headers,
    });
    const object = status.json as {
      metadata: { generation: number };
      spec: object;
      status: object;
    };
    assert.deepEqual(object.status, { replicas: 2, selector: 'a=b' });
    assert.deepEqual(object.spec, { cronSpec: '* * * * 5', replicas: 1 });
    assert.equal(object.metadata.generation, 1);
    const wrong = await api.request('PATCH', `${base}/scaled/status`, {
      body: { status: { replicas: 'x' } },
      headers,
    });
    assert.match(
      wrong.text,
      /status\.replicas: Invalid value: \\"string\\": replicas in body must be/,
    );
    const scaled = await api.kubectl(['scale', 'ct/scaled', '--replicas=3']);
    assert.equal(scaled.stdout, `crontab.${group}/scaled scaled\n`);
    const scale = await api.request('GET', `${base}/scaled/scale`);
    const shown = scale.json as { spec: object; status: object };
    assert.deepEqual(
      [shown.spec, shown.status],
      [{ replicas: 3 }, { replicas: 2, selector: 'a=b' }],
    );
    const after = await api.request('GET', `${base}/scaled`);
    assert.equal((after.json as { metadata: { generation: number } }).metadata.generation, 2);
    const refused = await api.request('PATCH', `${base}/scaled/scale`, {
      body: { spec: { replicas: 11 } },
      headers,
    });
    assert.equal(refused.status, 422);
  });

  it('are printed in the declared columns', async () => {
    await api.request('POST', base, { body: tab('columns', { replicas: 4 }) });
    const shown = await api.kubectl(['get', 'ct', 'columns']);
    assert.match(shown.stdout, /^NAME\s+SPEC\s+REPLICAS\ncolumns\s+\* \* \* \* 5\s+4\n$/);
    const all = await api.kubectl(['get', 'all', '-o', 'name']);
    assert.match(all.stdout, new RegExp(`crontab\\.${group}/columns`));
  });

  it('are selected by their fields, in lists and watches', async () => {
    const watch = await api.watch(`${base}?watch=true&fieldSelector=spec.color%3Dgreen`);
    await api.request('POST', base, { body: tab('green', { color: 'green' }) });
    const list = await api.request('GET', `${base}?fieldSelector=spec.color%3Dgreen`);
    assert.equal((list.json as { items: unknown[] }).items.length, 1);
    const event = (await watch.next()) as { type: string; object: { metadata: { name: string } } };
    assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', 'green']);
    watch.close();
    const unknown = await api.request('GET', `${base}?fieldSelector=spec.image%3Dx`);
    assert.equal(unknown.status, 400);
  });

  it('are applied by what the schema says of lists', async () => {
    const apply = async (manager: string, ports: object[]): Promise<unknown> => {
      const answer = await api.request('PATCH', `${base}/applied?fieldManager=${manager}`, {
        body: JSON.stringify(tab('applied', { ports })),
        headers: { 'Content-Type': 'application/apply-patch+yaml' },
      });
      assert.ok(answer.status < 300, answer.text);
      return (answer.json as { spec: { ports: unknown } }).spec.ports;
    };
    await apply('one', [{ port: 1, name: 'a' }]);
    assert.deepEqual(await apply('two', [{ port: 2 }]), [{ port: 1, name: 'a' }, { port: 2 }]);
    assert.deepEqual(await apply('one', []), [{ port: 2 }]);
  });

  it('are applied, compared and replaced by kubectl', async () => {
    const yaml = (minute: string): { stdin: string } => ({
      stdin: JSON.stringify(tab('kubectl', { cronSpec: `${minute} * * * *` })),
    });
    const made = await api.kubectl(['apply', '-f', '-'], yaml('1'));
    assert.equal(made.stdout, `crontab.${group}/kubectl created\n`, made.stderr);
    const changed = await api.kubectl(['apply', '-f', '-'], yaml('2'));
    assert.equal(changed.stdout, `crontab.${group}/kubectl configured\n`, changed.stderr);
    const same = await api.kubectl(['apply', '-f', '-'], yaml('2'));
    assert.equal(same.stdout, `crontab.${group}/kubectl unchanged\n`);
    const compared = await api.kubectl(['diff', '-f', '-'], yaml('3'));
    assert.match(compared.stdout, /^-  cronSpec: 2 \* \* \* \*\n\+  cronSpec: 3 \* \* \* \*$/m);
    const replaced = await api.kubectl(['replace', '-f', '-'], yaml('4'));
    assert.equal(replaced.code, 0, replaced.stderr);
    const side = await api.kubectl(
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      yaml('5'),
    );
    assert.equal(side.code, 0, side.stderr);
    const deleted = await api.kubectl(['delete', 'ct', 'kubectl']);
    assert.equal(deleted.code, 0);
  });

  it('of another kind or without a version to replace are refused', async () => {
    const other = { ...tab('other'), kind: 'Other' };
    const wrong = await api.request('POST', base, { body: other });
    assert.equal(
      wrong.at('message'),
      `Other.${group} "other" is invalid: kind: Invalid value: "Other": must be CronTab`,
    );
    const blind = await api.request('PUT', `${base}/pruned`, { body: tab('pruned') });
    assert.match(
      blind.text,
      /metadata\.resourceVersion: Invalid value: .*must be specified for an update/,
    );
  });

  it('know no strategic patches and no protobuf', async () => {
    const patched = await api.request('PATCH', `${base}/pruned`, {
      body: {},
      headers: { 'Content-Type': 'application/strategic-merge-patch+json' },
    });
    assert.equal(patched.status, 415);
    const packed = await api.request('GET', base, {
      headers: { Accept: 'application/vnd.kubernetes.protobuf' },
    });
    assert.equal(packed.status, 406);
  });

  it('are not found under paths that lead nowhere', async () => {
    const other = await api.request('GET', `/apis/${group}/v9/crontabs`);
    assert.deepEqual([other.status, other.text], [404, '404 page not found\n']);
    const cluster = await api.request('GET', `/apis/${group}/v1/crontabs/pruned`);
    assert.deepEqual([cluster.status, cluster.text], [404, '404 page not found\n']);
    const below = await api.request('GET', `${base}/pruned/nope`);
    assert.match(below.text, /crontabs\.stable\.example\.com \\"pruned\\" not found/);
  });

  it('follow a change of their definition at once', async () => {
    await api.request('POST', base, { body: tab('live') });
    const watch = await api.watch(`${base}?watch=true&resourceVersion=0`);
    const headers = { 'Content-Type': 'application/json-patch+json' };
    const version = '/spec/versions/0';
    const path = `${definitions}/crontabs.${group}`;
    const changed = await api.request('PATCH', path, {
      headers,
      body: [
        {
          op: 'add',
          path: `${version}/schema/openAPIV3Schema/properties/spec/properties/extra`,
          value: { type: 'string', default: 'new' },
        },
        { op: 'add', path: '/spec/versions/-', value: { ...versionTwo } },
      ],
    });
    assert.equal(changed.status, 200, changed.text);
    const live = await api.until(`${base}/live`, ({ text: body }) =>
      body.includes('"extra":"new"'),
    );
    assert.equal(live.status, 200);
    const two = await api.request('GET', `/apis/${group}/v2/namespaces/default/crontabs/live`);
    assert.equal((two.json as { apiVersion: string }).apiVersion, `${group}/v2`);
    assert.match(String(two.headers['warning']), /stable\.example\.com\/v2 CronTab is old/);
    while ((await watch.next()) !== undefined);
    const gone = await api.request('PATCH', path, {
      headers,
      body: [{ op: 'remove', path: '/spec/versions/1' }],
    });
    assert.equal(gone.status, 200, gone.text);
    await api.until(`/apis/${group}/v2/crontabs`, ({ status }) => status === 404);
  });

  it('go with their definition, which waits for their finalizers', async () => {
    const name = 'widgets.other.example.com';
    await api.request('POST', definitions, {
      body: {
        ...definition(),
        metadata: { name },
        spec: {
          group: 'other.example.com',
          scope: 'Cluster',
          names: { plural: 'widgets', kind: 'Widget' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object' } },
            },
          ],
        },
      },
    });
    const widgets = '/apis/other.example.com/v1/widgets';
    await api.until(widgets, ({ status }) => status === 200);
    const widget = (of: string, finalizers: string[]): object => ({
      apiVersion: 'other.example.com/v1',
      kind: 'Widget',
      metadata: { name: of, finalizers },
    });
    await api.request('POST', widgets, { body: widget('held', ['example.com/hold']) });
    await api.request('POST', widgets, { body: widget('free', []) });
    const deleted = await api.request('DELETE', `${definitions}/${name}`);
    assert.match(deleted.text, /CustomResourceDefinition marked for deletion/);
    await api.until(`${widgets}/free`, ({ status }) => status === 404);
    const refused = await api.request('POST', widgets, { body: widget('late', []) });
    assert.equal(refused.status, 405);
    assert.match(
      refused.text,
      /create not allowed while custom resource definition is terminating/,
    );
    await api.request('PATCH', `${widgets}/held`, {
      body: { metadata: { finalizers: null } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    await api.until(`${definitions}/${name}`, ({ status }) => status === 404);
    await api.until(
      widgets,
      ({ status, text: body }) => status === 404 && body === '404 page not found\n',
    );
  });

  it('are refused two definitions of the same names', async () => {
    const name = `others.${group}`;
    await api.request('POST', definitions, {
      body: {
        ...definition(),
        metadata: { name },
        spec: {
          ...(definition() as { spec: object }).spec,
          names: { plural: 'others', kind: 'CronTab', shortNames: ['ct'] },
        },
      },
    });
    const answer = await api.until(`${definitions}/${name}`, ({ text: body }) =>
      body.includes('NotAccepted'),
    );
    assert.match(answer.text, /"reason":"ListKindConflict"/);
    assert.match(answer.text, /\\"CronTabList\\" is already in use/);
    await api.request('DELETE', `${definitions}/${name}`);
    await api.until(`${definitions}/${name}`, ({ status }) => status === 404);
  });

  it('logged no failure', () => {
    const lines = api.logLines.filter((line) => /level=error|CustomResourceDefinition/.test(line));
    assert.deepEqual(lines, []);
  });
});

const versionTwo = {
  name: 'v2',
  served: true,
  storage: false,
  deprecated: true,
  deprecationWarning: `${group}/v2 CronTab is old`,
  schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
};

describe('definitions', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(async () => await api.close());

  const refusals: ReadonlyArray<readonly [name: string, body: object, text: RegExp]> = [
    [
      'with a default that the schema does not take',
      definition({}, versionSchema({ type: 'integer', default: 'x' })),
      /properties\[spec\]\.properties\[a\]\.default: Invalid value: "string": .*must be of type integer/,
    ],
    [
      'with a default of unknown fields',
      definition({}, versionSchema({ type: 'object', default: { z: 1 }, properties: { y: text } })),
      /properties\[a\]\.default: Invalid value: \{"z":1\}: must not have unknown fields/,
    ],
    [
      'with a rule that does not compile',
      definition({}, versionSchema({ ...text, 'x-kubernetes-validations': [{ rule: 'self.x' }] })),
      /x-kubernetes-validations\[0\]\.rule: Invalid value: .*compilation failed: ERROR: <input>:1:5/,
    ],
    [
      'with a selectable field that is none',
      definition({}, { ...versionSchema(text), selectableFields: [{ jsonPath: '.spec.nope' }] }),
      /selectableFields\[0\]\.jsonPath: Invalid value: ".spec.nope": is an invalid path: does not refer to a valid field/,
    ],
  ];
  for (const [name, body, message] of refusals) {
    it(`${name} are refused`, async () => {
      const answer = await api.request('POST', definitions, { body });
      assert.equal(answer.status, 422, answer.text);
      assert.match((answer.json as { message: string }).message, message);
    });
  }

  it('that are hardly there are refused', async () => {
    for (const spec of [
      undefined,
      {},
      { group: 'a.b' },
      { versions: [{}] },
      { versions: [null] },
    ]) {
      const body = { ...definition(), spec };
      const answer = await api.request('POST', definitions, { body });
      assert.equal(answer.status, 422, answer.text);
    }
  });

  it('with formats that are not checked are warned of', async () => {
    const body = definition({}, versionSchema({ ...text, format: 'my-format' }));
    const answer = await api.request('POST', `${definitions}?dryRun=All`, { body });
    assert.equal(answer.status, 201, answer.text);
    assert.match(String(answer.headers['warning']), /unrecognized format \\"my-format\\"/);
  });
});

function versionSchema(a: object): object {
  const openAPIV3Schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { a } } },
  };
  return { schema: { openAPIV3Schema }, subresources: undefined, selectableFields: undefined };
}
