import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createLogger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';
import type { ClusterReader } from './metrics-api.ts';
import { scrapeNodes } from './scrape-loop.ts';
import { createUsageStore } from './usage-store.ts';

const node = (name: string): Node => ({
  metadata: { name },
  status: {
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    conditions: [{ type: 'Ready', status: 'True' }],
  },
});

test('nodes that cannot be read twice in a row are told of in one line a round, once', async () => {
  const clock = new FakeClock();
  const stopper = new AbortController();
  const lines: string[] = [];
  const log = createLogger({
    level: 'warning',
    now: () => 0,
    write: (line) => void lines.push(line.replace(/^time="[^"]*" level=warning /, '').trim()),
  });
  const broken = new Set(['a', 'b', 'c']);
  const asked: string[] = [];
  const client = {
    raw({ path }: { path: string }) {
      const name = path.split('/')[4] ?? '';
      asked.push(name);
      if (broken.has(name)) {
        const body = Buffer.from('{"kind":"Status","message":"connection refused"}');
        return Promise.resolve({ status: 503, headers: {}, body });
      }
      return Promise.resolve({ status: 200, headers: {}, body: Buffer.from('') });
    },
  } as unknown as Client;
  let nodes = ['a', 'b', 'c', 'd'].map(node);
  const reader = { list: () => nodes } as unknown as ClusterReader;
  const scraping = scrapeNodes({
    client,
    reader,
    store: createUsageStore(),
    clock,
    log,
    signal: stopper.signal,
  });
  const rounds = (): number => asked.filter((name) => name === 'd').length;
  const nextRound = async (): Promise<void> => {
    const wanted = rounds() + 1;
    await eventually(
      'the round',
      () => rounds() >= wanted,
      () => clock.advance(2500),
    );
    await clock.advance(1);
  };
  await clock.advance(1);
  assert.equal(rounds(), 1);
  assert.deepEqual(lines, []);
  await nextRound();
  await nextRound();
  broken.clear();
  await nextRound();
  broken.add('c');
  await nextRound();
  await nextRound();
  nodes = [node('d'), node('e')];
  broken.clear();
  broken.add('e');
  await nextRound();
  await nextRound();
  stopper.abort();
  await clock.advance(60_000);
  await scraping;
  assert.equal(lines.length, 3, lines.join('\n'));
  assert.match(
    lines[0] ?? '',
    /^msg="Cannot read the usage of 3 nodes" first=[abc] error="HTTP 503: connection refused"$/,
  );
  assert.equal(
    lines[1],
    'msg="Cannot read the usage of a node" node=c error="HTTP 503: connection refused"',
  );
  assert.equal(
    lines[2],
    'msg="Cannot read the usage of a node" node=e error="HTTP 503: connection refused"',
  );
});
