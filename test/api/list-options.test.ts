/**
 * Every combination of limit, continue, resourceVersion and its match, against the rules that
 * upstream's own test of list options states.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startTestServer } from '#apiserver/test-server.ts';
import type { TestServer } from '#apiserver/test-server.ts';
import { resources } from '#client/mod.ts';
import type { ConfigMap } from '#schema/types.ts';
import { answerOf } from './answer.ts';
import type { Answer } from './answer.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const at = { namespace: 'default' };
const total = 10;
let target: TestServer;
let ask: (query: string) => Promise<Answer>;
/** A version that is compacted, and one that the ring no longer has but the store still does. */
let compactedVersion = '';
let oldVersion = '';
let newestVersion = '';
let continueToken = '';
let compactedToken = '';

before(async () => {
  target = await startTestServer();
  const { client } = await target.listen();
  ask = async (query) => {
    const raw = { method: 'GET', path: `${maps}?${query}`, headers: {} };
    const { status, headers, body } = await client.raw(raw);
    return answerOf(status, headers, body);
  };
  for (let i = 0; i < total; i++) {
    await target.client.create(resources.configMaps, { metadata: { name: `m-${i}` } }, at);
  }
  const first = await ask('limit=4');
  compactedVersion = String(first.at('metadata.resourceVersion'));
  compactedToken = String(first.at('metadata.continue'));
  await touch(1);
  oldVersion = String((await ask('')).at('metadata.resourceVersion'));
  // more changes than the ring holds
  await touch(12);
  const list = await ask('limit=4');
  newestVersion = String(list.at('metadata.resourceVersion'));
  continueToken = String(list.at('metadata.continue'));
  await target.backend.compact(Number(oldVersion));
});

after(() => target.close());

/** Changes the first object by large values, so that the ring forgets soon. */
async function touch(times: number): Promise<void> {
  const name = 'm-0';
  for (let i = 0; i < times; i++) {
    const old = await target.client.get<ConfigMap>(resources.configMaps, name, at);
    const data = { text: `${times}-${i}`.padEnd(900_000, 'x') };
    await target.client.update(resources.configMaps, { ...old, data }, at);
  }
}

interface Options {
  limit: number;
  token: string;
  version: string;
  match: string;
}

/** The refusal that upstream gives, or undefined. */
function refusalOf({ limit, token, version, match }: Options): [number, RegExp] | undefined {
  const isInvalid =
    match !== '' &&
    (version === '' ||
      token !== '' ||
      !['Exact', 'NotOlderThan'].includes(match) ||
      (match === 'Exact' && version === '0'));
  if (isInvalid) return [422, /resourceVersionMatch/];
  if (token === 'malformed') return [400, /^invalid continue token: continue key is not valid/];
  if (token !== '' && version !== '' && version !== '0') {
    return [400, /^specifying resource version is not allowed when using continue$/];
  }
  if (token === compactedToken && token !== '') {
    return [410, /^The provided continue parameter is too old to display a consistent list/];
  }
  const isExact = match === 'Exact' || (match === '' && limit > 0);
  if (version === compactedVersion && isExact) {
    return [410, /^The resourceVersion for the provided list is too old\.$/];
  }
  return undefined;
}

function checkPage(options: Options, answer: Answer): void {
  const { limit, token, version, match } = options;
  const label = JSON.stringify(options);
  const count = (answer.at('items') as unknown[]).length;
  const isCut = limit > 0 && version !== '0';
  const from = token === '' ? 0 : 4;
  // a continued list of any version is still a page
  const expected = token !== '' && limit > 0 ? limit : isCut ? limit : total - from;
  assert.equal(count, expected, label);
  const left = total - from - count;
  assert.equal(answer.at('metadata.remainingItemCount'), left === 0 ? undefined : left, label);
  assert.equal(answer.at('metadata.continue') !== undefined, left > 0, label);
  const shown = String(answer.at('metadata.resourceVersion'));
  const isExact =
    match === 'Exact' || (match === '' && limit > 0 && version !== '' && version !== '0');
  assert.equal(shown, isExact ? version : newestVersion, label);
}

test('lists by every combination of options', async () => {
  let refused = 0;
  let listed = 0;
  for (const limit of [0, 4]) {
    for (const token of ['', continueToken, compactedToken, 'malformed']) {
      for (const version of ['', '0', compactedVersion, oldVersion, newestVersion]) {
        for (const match of ['', 'Exact', 'NotOlderThan', 'Wrong']) {
          const options = { limit, token, version, match };
          const query = new URLSearchParams({ limit: String(limit) });
          if (token !== '') query.set('continue', token);
          if (version !== '') query.set('resourceVersion', version);
          if (match !== '') query.set('resourceVersionMatch', match);
          const answer = await ask(query.toString());
          const refusal = refusalOf(options);
          if (refusal === undefined) {
            assert.equal(answer.status, 200, `${JSON.stringify(options)} ${answer.text}`);
            checkPage(options, answer);
            listed++;
            continue;
          }
          assert.equal(answer.status, refusal[0], `${JSON.stringify(options)} ${answer.text}`);
          assert.match(String(answer.at('message')), refusal[1]);
          refused++;
        }
      }
    }
  }
  assert.equal(refused + listed, 2 * 4 * 5 * 4);
  assert.ok(listed > 15);
});

test('a watch from a version that only the store has goes on from there', async () => {
  const answer = await ask(`watch=true&timeoutSeconds=1&resourceVersion=${oldVersion}`);
  const lines = answer.text.split('\n').filter((line) => line !== '');
  assert.equal(lines.length, 12);
  const versions = lines.map((line) => {
    const { type, object } = JSON.parse(line) as { type: string; object: ConfigMap };
    assert.equal(type, 'MODIFIED');
    return Number(object.metadata.resourceVersion);
  });
  const first = Number(oldVersion) + 1;
  assert.deepEqual(
    versions,
    Array.from({ length: 12 }, (_, index) => first + index),
  );
  const gone = await ask(`watch=true&timeoutSeconds=1&resourceVersion=${compactedVersion}`);
  const error = JSON.parse(gone.text) as { type: string; object: { code: number; reason: string } };
  assert.deepEqual([error.type, error.object.code, error.object.reason], ['ERROR', 410, 'Expired']);
});
