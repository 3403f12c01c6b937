import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { sandboxNamespaces, watchLeakedNetworks } from './leaked-networks.ts';
import { findPredecessor } from './predecessor.ts';

/** A machine with these addresses (and whose they are) and namespaces. */
async function begin(
  context: TestContext,
  { owners, names }: { owners: Record<string, string>; names: string[] },
) {
  const cniState = await mkdtemp(join(tmpdir(), 'k3ts-cni-'));
  context.after(() => rm(cniState, { recursive: true }));
  const network = join(cniState, 'networks/cbr0');
  const results = join(cniState, 'results');
  await mkdir(network, { recursive: true });
  await mkdir(results);
  const addAddress = async (address: string, owner: string): Promise<void> => {
    await writeFile(join(network, address), `${owner}\r\neth0`);
    await writeFile(join(results, `cbr0-${owner}-eth0`), '{}');
  };
  for (const [address, owner] of Object.entries(owners)) await addAddress(address, owner);
  await writeFile(join(network, 'last_reserved_ip.0'), '10.42.0.9');
  await writeFile(join(network, 'lock'), '');
  const state = { names: new Set(names), unused: new Set<string>(), known: new Set<string>() };
  const clock = new FakeClock();
  const stop = new AbortController();
  const namespaces = {
    list: async () => [...state.names],
    unused: async () => state.unused,
    remove: async (name: string) => void state.names.delete(name),
  };
  const done = watchLeakedNetworks(await findPredecessor({ clock, cniState, namespaces }), {
    namespaces,
    cniState,
    containerIds: async () => state.known,
    log: silentLogger,
    clock,
    signal: stop.signal,
  });
  context.after(async () => {
    stop.abort();
    await done;
  });
  const resting = (): Promise<void> => eventually('a rest', () => clock.pendingTimers > 0);
  /** One of the first five: it rests again afterwards. */
  const look = async (): Promise<void> => {
    await resting();
    await clock.advance(10_000);
    await resting();
  };
  const left = async () => ({
    addresses: (await readdir(network)).filter((name) => name.startsWith('10.')),
    results: await readdir(results),
    names: [...state.names],
  });
  return { state, addAddress, look, left };
}

test('what nobody uses in two looks goes, the rest stays', async (context) => {
  const machine = await begin(context, {
    owners: { '10.42.0.2': 'kept', '10.42.0.3': 'forgotten', '10.42.0.4': 'late' },
    names: ['cni-kept', 'cni-forgotten', 'cni-late'],
  });
  const { state } = machine;
  state.known = new Set(['kept']);
  state.unused = new Set(['cni-forgotten', 'cni-late']);
  await machine.look();
  assert.equal((await machine.left()).addresses.length, 3);
  // These two were just being used for the first time.
  state.known = new Set(['kept', 'late']);
  state.unused = new Set(['cni-forgotten']);
  await machine.look();
  assert.deepEqual(await machine.left(), {
    addresses: ['10.42.0.2', '10.42.0.4'],
    results: ['cbr0-kept-eth0', 'cbr0-late-eth0'],
    names: ['cni-kept', 'cni-late'],
  });
});

test('what the new containerd makes is not looked at', async (context) => {
  const machine = await begin(context, { owners: {}, names: [] });
  await machine.look();
  await machine.addAddress('10.42.0.5', 'new');
  machine.state.names.add('cni-new');
  machine.state.unused = new Set(['cni-new']);
  for (let count = 0; count < 4; count += 1) await machine.look();
  assert.deepEqual((await machine.left()).addresses, ['10.42.0.5']);
  assert.deepEqual((await machine.left()).names, ['cni-new']);
});

test('an address that another sandbox has got meanwhile stays', async (context) => {
  const machine = await begin(context, { owners: { '10.42.0.2': 'forgotten' }, names: [] });
  await machine.look();
  await machine.addAddress('10.42.0.2', 'new');
  for (let count = 0; count < 3; count += 1) await machine.look();
  assert.deepEqual((await machine.left()).addresses, ['10.42.0.2']);
});

test('the namespaces of this machine can be asked for', async () => {
  const names = await sandboxNamespaces.list();
  for (const name of await sandboxNamespaces.unused()) assert.ok(names.includes(name));
});
