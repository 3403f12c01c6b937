import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock as clock } from '#base/clock.ts';
import { claimMachine } from './claim-machine.ts';

const { signal } = new AbortController();
const name = `\0k3ts-test-claim-${process.pid}`;

test('a second agent is refused until the first one lets go', async () => {
  const release = await claimMachine({ clock, signal, name });
  await assert.rejects(claimMachine({ clock, signal, name, waitMs: 0 }), {
    code: 'Usage',
    message: 'another k3ts server or agent runs this node already',
  });
  const second = claimMachine({ clock, signal, name });
  release();
  (await second)();
});
