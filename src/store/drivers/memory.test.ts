import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { openMemory } from './memory.ts';

it('keeps the value of a write, not what its caller needed to make it', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const store = openMemory({ clock: new FakeClock(), log: silentLogger });
  t.after(() => store.close());

  const write = async (): Promise<WeakRef<object>> => {
    const parsed = { text: 'a parsed object' };
    await store.create('/k', () => Buffer.from(parsed.text));
    return new WeakRef(parsed);
  };
  const parsed = await write();
  await new Promise(setImmediate);
  collect();

  assert.equal(parsed.deref(), undefined);
  assert.equal((await store.get('/k'))?.value.toString(), 'a parsed object');
});
