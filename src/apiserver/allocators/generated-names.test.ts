import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Random } from '#base/random.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Service } from '#schema/types.ts';
import { startSharedServers } from './servers-for-tests.ts';
import type { SharedServers } from './servers-for-tests.ts';

/** Makes the same name so many times, and then another one. */
function repeating(times: number): Random {
  let letters = 0;
  return { ...seededRandom(1), integer: () => (letters++ < times * 5 ? 0 : 1) };
}

const generate = async ({ clients: [client] }: SharedServers, name?: string): Promise<Service> => {
  assert.ok(client !== undefined);
  const metadata = { generateName: 'g-', ...(name === undefined ? {} : { name }) };
  const service = { metadata, spec: { ports: [{ port: 80 }] } } as Service;
  return await client.create<Service>(resources.services, service, { namespace: 'ns' });
};

describe('a service whose generated name is taken', () => {
  it('gets another one, which its address names as well', async () => {
    const servers = await startSharedServers({ names: repeating(3) });
    try {
      const first = await generate(servers);
      const second = await generate(servers);
      const addresses = [first, second].map(
        ({ metadata, spec }) => `${spec?.clusterIP} ${metadata.name}`,
      );
      assert.deepEqual(
        [first, second].map(({ metadata }) => metadata.name),
        ['g-bbbbb', 'g-ccccc'],
      );
      assert.deepEqual(await servers.addresses(), addresses.toSorted());
    } finally {
      await servers.close();
    }
  });

  it('is refused after eight attempts, with nothing left behind', async () => {
    const servers = await startSharedServers({ names: repeating(9) });
    try {
      const { metadata, spec } = await generate(servers);
      const taken = {
        httpCode: 409,
        reason: 'AlreadyExists',
        message:
          'services "g-bbbbb" already exists, the server was not able to generate a unique name for the object',
      };
      await assert.rejects(generate(servers), taken);
      await assert.rejects(generate(servers, 'g-bbbbb'), taken);
      assert.deepEqual(await servers.addresses(), [`${spec?.clusterIP} ${metadata.name}`]);
    } finally {
      await servers.close();
    }
  });
});
