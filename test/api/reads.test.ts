/** Get and list: versions, pages, selectors and the forms of answers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startTestServer } from '#apiserver/test-server.ts';
import { resources } from '#client/mod.ts';
import type { Answer } from './answer.ts';
import { answerOf } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const maps = '/api/v1/namespaces/reads/configmaps';
let api: TestApi;
const versions: string[] = [];

before(async () => {
  api = await startTestApi({ disableControllerManager: true });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'reads' } } });
  for (const [name, tier] of [
    ['a', 'front'],
    ['b', 'back'],
    ['c', ''],
  ] as const) {
    const labels = tier === '' ? {} : { tier };
    const answer = await api.request('POST', maps, { body: { metadata: { name, labels } } });
    assert.equal(answer.status, 201, answer.text);
    versions.push(String(answer.at('metadata.resourceVersion')));
  }
});

after(() => api.close());

const names = (answer: Answer): unknown => answer.at('items.*.metadata.name');

describe('versions', () => {
  test('a list shows the newest, any, at least or exactly the version asked for', async () => {
    const second = versions[1];
    const cases: [query: string, expected: string[]][] = [
      ['', ['a', 'b', 'c']],
      ['?resourceVersion=0', ['a', 'b', 'c']],
      [`?resourceVersion=${second}`, ['a', 'b', 'c']],
      [`?resourceVersion=${second}&resourceVersionMatch=NotOlderThan`, ['a', 'b', 'c']],
      [`?resourceVersion=${second}&resourceVersionMatch=Exact`, ['a', 'b']],
      [`?resourceVersion=${second}&limit=5`, ['a', 'b']],
    ];
    for (const [query, expected] of cases) {
      assert.deepEqual(names(await api.request('GET', maps + query)), expected, query);
    }
  });

  test('get takes a version too', async () => {
    for (const query of ['', '?resourceVersion=0', `?resourceVersion=${versions[2]}`]) {
      const answer = await api.request('GET', `${maps}/a${query}`);
      assert.equal(answer.at('metadata.resourceVersion'), versions[0]);
    }
  });

  test('a version that has not happened gets 504 and a time to retry', async () => {
    const answer = await api.request('GET', `${maps}?resourceVersion=99999999`);
    assert.equal(answer.status, 504);
    assert.equal(answer.headers['retry-after'], '1');
    assert.match(String(answer.at('message')), /^Timeout: Too large resource version: 99999999, /);
    assert.equal(answer.at('details.causes.0.reason'), 'ResourceVersionTooLarge');
  });

  test('combinations without meaning are refused', async () => {
    const cases: [query: string, message: string][] = [
      [
        'resourceVersionMatch=Exact',
        'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      ],
      [
        'resourceVersion=0&resourceVersionMatch=Exact',
        'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ],
      [
        'resourceVersion=1&resourceVersionMatch=Some',
        'Unsupported value: "Some": supported values: "Exact", "NotOlderThan", ""',
      ],
    ];
    for (const [query, message] of cases) {
      const answer = await api.request('GET', `${maps}?${query}`);
      assert.equal(answer.status, 422);
      assert.equal(
        answer.at('message'),
        `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: ${message}`,
      );
    }
  });
});

describe('pages', () => {
  test('each page says how many remain, all show the state of the first', async () => {
    const first = await api.request('GET', `${maps}?limit=1`);
    assert.deepEqual(names(first), ['a']);
    assert.equal(first.at('metadata.remainingItemCount'), 2);
    const token = encodeURIComponent(String(first.at('metadata.continue')));
    await api.request('POST', maps, { body: { metadata: { name: 'aa' } } });
    const rest = await api.request('GET', `${maps}?limit=5&continue=${token}`);
    assert.deepEqual(names(rest), ['b', 'c']);
    assert.equal(rest.at('metadata.resourceVersion'), first.at('metadata.resourceVersion'));
    assert.equal(rest.at('metadata.continue'), undefined);
    await api.request('DELETE', `${maps}/aa`);
  });

  test('with a selector nobody knows how many remain', async () => {
    const answer = await api.request('GET', `${maps}?limit=1&labelSelector=tier`);
    assert.equal(typeof answer.at('metadata.continue'), 'string');
    assert.equal(answer.at('metadata.remainingItemCount'), undefined);
  });

  test('two names at once are nobody’s', async () => {
    const selector = encodeURIComponent('metadata.name=a,metadata.name=b');
    const answer = await api.request('GET', `${maps}?fieldSelector=${selector}`);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.at('items'), []);
  });

  test('bad limits and tokens are refused', async () => {
    const first = await api.request('GET', `${maps}?limit=1`);
    const token = String(first.at('metadata.continue'));
    const cases: [query: string, message: RegExp][] = [
      ['limit=x', /^strconv.ParseInt: parsing "x": invalid syntax$/],
      ['limit=1&continue=zz', /^invalid continue token: continue key is not valid: /],
      [
        `limit=1&continue=${token}&resourceVersion=5`,
        /^specifying resource version is not allowed when using continue$/,
      ],
    ];
    for (const [query, message] of cases) {
      const answer = await api.request('GET', `${maps}?${query}`);
      assert.equal(answer.status, 400);
      assert.match(String(answer.at('message')), message);
    }
  });

  test('a page of a forgotten state gets 410 with a token that goes on', async (t) => {
    const server = await startTestServer();
    t.after(() => server.close());
    const { client } = await server.listen();
    const data = { text: 'x'.repeat(900_000) };
    const create = async (name: string): Promise<void> => {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
      await server.client.create(resources.configMaps, body, { namespace: 'default' });
    };
    await create('m-0');
    await create('m-1');
    const path = '/api/v1/namespaces/default/configmaps?limit=1';
    const ask = async (query: string): Promise<Answer> => {
      const raw = { method: 'GET', path: path + query, headers: {} };
      const { status, headers, body } = await client.raw(raw);
      return answerOf(status, headers, body);
    };
    const first = await ask('');
    for (let index = 2; index < 14; index++) await create(`m-${index}`);
    await server.backend.compact(server.backend.currentRevision);
    const second = await ask(`&continue=${String(first.at('metadata.continue'))}`);
    assert.deepEqual([second.status, second.at('reason')], [410, 'Expired']);
    const token = String(second.at('metadata.continue'));
    const third = await ask(`&continue=${token}`);
    assert.deepEqual(names(third), ['m-1']);
  });
});

describe('selectors', () => {
  test('labels', async () => {
    const cases: [selector: string, expected: string[]][] = [
      ['tier=front', ['a']],
      ['tier==front', ['a']],
      ['tier!=front', ['b', 'c']],
      ['tier', ['a', 'b']],
      ['!tier', ['c']],
      ['tier in (front,back)', ['a', 'b']],
      ['tier notin (front)', ['b', 'c']],
      ['tier,tier!=back', ['a']],
    ];
    for (const [selector, expected] of cases) {
      const answer = await api.request(
        'GET',
        `${maps}?labelSelector=${encodeURIComponent(selector)}`,
      );
      assert.deepEqual(names(answer), expected, selector);
    }
  });

  test('fields', async () => {
    const cases: [selector: string, expected: string[]][] = [
      ['metadata.name=a', ['a']],
      ['metadata.name!=a', ['b', 'c']],
      ['metadata.namespace=reads,metadata.name=b', ['b']],
      ['metadata.namespace=other', []],
    ];
    for (const [selector, expected] of cases) {
      const query = `fieldSelector=${encodeURIComponent(selector)}`;
      assert.deepEqual(names(await api.request('GET', `${maps}?${query}`)), expected, selector);
    }
  });

  test('what cannot be selected by is said in upstream’s words', async () => {
    const pods = '/api/v1/pods';
    const jobs = '/apis/batch/v1/jobs';
    const cases: [path: string, query: string, message: string][] = [
      [maps, 'labelSelector=a==b==c', "found '==', expected: ',' or 'end of string'"],
      [maps, 'fieldSelector=foo', "invalid selector: 'foo'; can't understand 'foo'"],
      [
        maps,
        'fieldSelector=spec.x%3D1',
        '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
      ],
      [pods, 'fieldSelector=spec.x%3D1', 'field label not supported: spec.x'],
      [jobs, 'fieldSelector=spec.x%3D1', 'field label "spec.x" not supported for Job'],
    ];
    for (const [path, query, message] of cases) {
      const answer = await api.request('GET', `${path}?${query}`);
      assert.deepEqual([answer.status, answer.at('message')], [400, message]);
    }
  });
});
