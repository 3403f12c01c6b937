import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resources } from '#client/mod.ts';
import type { CustomKind } from '../custom-kind.ts';
import type { ServedResource } from '../resource-registry.ts';
import { startTestServer } from '../test-server.ts';
import { defaultListOptions } from './list-options.ts';
import { watchObjects } from './watch.ts';

test('what happens while initial objects are converted is told after them', async (t) => {
  const { server, client, close } = await startTestServer();
  t.after(close);
  const at = { namespace: 'n' };
  const create = async (name: string): Promise<unknown> =>
    await client.create(resources.configMaps, { metadata: { name } }, at);
  await create('before');
  const stored = server.core.registry.byResource(resources.configMaps);
  assert.ok(stored);
  let conversions = 0;
  // the first call is for the initial objects, as a webhook would be asked
  const custom: Pick<CustomKind, 'prepare'> = {
    prepare: () => (conversions++ === 0 ? create('meanwhile').then(() => undefined) : undefined),
  };
  const served: ServedResource = { ...stored, custom: custom as CustomKind };
  const session = await watchObjects(server.core, served, 'n', '', {
    ...defaultListOptions,
    allowWatchBookmarks: true,
  });
  await create('after');
  const told: string[] = [];
  for (let item = session.next(); item !== undefined; item = session.next()) {
    if (item.kind === 'initial') told.push(`initial ${item.entry.name}`);
    else if (item.kind === 'change') told.push(`change ${item.delivery.entry.name}`);
    else told.push(item.kind);
  }
  session.close();
  assert.deepEqual(told, ['initial before', 'bookmark', 'change meanwhile', 'change after']);
});
