import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import {
  findPredecessor,
  forgetPredecessor,
  notePredecessor,
  readPredecessor,
} from './predecessor.ts';

test('what was there when containerd began is known to the next agent until it is done with', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-predecessor-'));
  context.after(() => rm(directory, { recursive: true }));
  const network = join(directory, 'networks/cbr0');
  await mkdir(network, { recursive: true });
  const path = join(network, '10.42.0.2');
  await writeFile(path, 'sandbox\r\neth0');
  await writeFile(join(network, '10.42.0.3'), '');
  const clock = new FakeClock();
  const found = await findPredecessor({
    clock,
    cniState: directory,
    namespaces: { list: async () => ['cni-1'] },
  });
  assert.deepEqual(found, {
    endedByMs: clock.now(),
    namespaces: ['cni-1'],
    addresses: [{ path, owner: 'sandbox' }],
  });
  const file = join(directory, 'predecessor.json');
  assert.equal(await readPredecessor(file), undefined);
  await notePredecessor(file, found);
  assert.deepEqual(await readPredecessor(file), found);
  await forgetPredecessor(file);
  assert.equal(await readPredecessor(file), undefined);
  assert.deepEqual(await readdir(directory), ['networks']);
});
