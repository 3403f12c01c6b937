import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { APIService } from '#schema/types.ts';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { always, apiServices, localApiService, onStart } from './api-service.ts';
import type { LocalGroupVersion } from './api-service.ts';
import { startAutoRegistration } from './auto-registration.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const builtIn: LocalGroupVersion = {
  group: 'apps',
  version: 'v1',
  groupPriorityMinimum: 17800,
  versionPriority: 15,
  management: onStart,
};
const custom: LocalGroupVersion = {
  group: 'acme.com',
  version: 'v1',
  groupPriorityMinimum: 1000,
  versionPriority: 100,
  management: always,
};

/** A registration over a map of objects; `stored` are there before it starts. */
async function setUp(wanted: LocalGroupVersion[], stored: APIService[] = []) {
  const reader = new FakeObjectReader();
  for (const object of stored) reader.put(apiServices, object);
  const put = async (_resource: unknown, object: APIService): Promise<APIService> => {
    reader.put(apiServices, object);
    return object;
  };
  const client = {
    create: put,
    update: put,
    delete: async (_resource: unknown, name: string) => reader.remove(apiServices, '', name),
  } as unknown as Client;
  let changed = (): void => undefined;
  const registration = startAutoRegistration({
    client,
    reader,
    wanted: () => wanted,
    onWantedChange(listener) {
      changed = listener;
      return () => undefined;
    },
    clock: new FakeClock(),
    log: silentLogger,
    signal: new AbortController().signal,
  });
  const settle = async (): Promise<void> => {
    for (let count = 0; count < 20; count++) await turn();
  };
  await settle();
  return {
    reader,
    registration,
    settle,
    get: (name: string) => reader.get<APIService>(apiServices, '', name),
    async want(next: LocalGroupVersion[]) {
      wanted.splice(0, wanted.length, ...next);
      changed();
      await settle();
    },
  };
}

const changed = (of: LocalGroupVersion, labels?: Record<string, string>): APIService => {
  const object = localApiService(of);
  return {
    ...object,
    metadata: { ...object.metadata, ...(labels === undefined ? {} : { labels }) },
    spec: { ...object.spec, groupPriorityMinimum: 1, versionPriority: 1 },
  };
};

describe('registration of what is served here', () => {
  it('makes what is missing and says when all is there', async () => {
    const { get, registration } = await setUp([builtIn, custom]);
    assert.deepEqual(get('v1.apps'), localApiService(builtIn));
    assert.deepEqual(get('v1.acme.com'), localApiService(custom));
    assert.equal(registration.isComplete(), true);
  });

  it('puts built-in ones right at the start only', async () => {
    const { get, reader, settle } = await setUp([builtIn], [changed(builtIn)]);
    assert.equal(get('v1.apps')?.spec?.groupPriorityMinimum, 17800);
    reader.put(apiServices, changed(builtIn));
    await settle();
    assert.equal(get('v1.apps')?.spec?.groupPriorityMinimum, 1);
    reader.remove(apiServices, '', 'v1.apps');
    await settle();
    assert.equal(get('v1.apps'), undefined);
  });

  it('keeps those of definitions right all the time, and removes them', async () => {
    const { get, reader, settle, want } = await setUp([custom]);
    reader.put(apiServices, changed(custom));
    await settle();
    assert.equal(get('v1.acme.com')?.spec?.groupPriorityMinimum, 1000);
    reader.remove(apiServices, '', 'v1.acme.com');
    await settle();
    assert.ok(get('v1.acme.com'));
    await want([]);
    assert.equal(get('v1.acme.com'), undefined);
  });

  it('removes what an earlier version of the server left behind', async () => {
    const { get } = await setUp([], [localApiService(builtIn), localApiService(custom)]);
    assert.equal(get('v1.apps'), undefined);
    assert.equal(get('v1.acme.com'), undefined);
  });

  it('leaves alone what somebody else manages', async () => {
    const { get } = await setUp([custom], [changed(custom, {})]);
    assert.equal(get('v1.acme.com')?.spec?.groupPriorityMinimum, 1);
  });
});
