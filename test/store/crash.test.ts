import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { Backend } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';

const writer = join(import.meta.dirname, 'writer.ts');

/** Runs the writer until it has acknowledged `count` writes, kills it, gives what it printed. */
async function writeAndKill(dataDir: string, round: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, dataDir, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let lines = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    lines += text.split('\n').length - 1;
    if (lines >= count) child.kill('SIGKILL');
  });
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
  assert.equal(signal, 'SIGKILL');
  // The last line may be cut off; what is before the last line break was printed in full.
  return output.split('\n').slice(0, -1);
}

/** What the answers said about each key: the revision it is at, 0 when deleted. */
type Answers = Map<string, number>;

/**
 * Compares a reopened store with the answers. A client waits for each answer, so only the key of
 * its last answer may be one step ahead: a write that was durable but not yet answered.
 */
async function check(store: Backend, answers: Answers, last: Set<string>): Promise<void> {
  const { items } = await store.list('/registry/');
  const found = new Map(items.map((item) => [item.key, item.modRevision]));
  for (const item of items) {
    assert.ok(item.value.toString().startsWith(`${item.modRevision} x`));
  }
  for (const [key, revision] of answers) {
    const now = found.get(key) ?? 0;
    if (now === revision) continue;
    assert.ok(last.has(key), `${key} was answered at ${revision} and is at ${now}`);
    assert.ok(now === 0 || now > revision, `${key} went back from ${revision} to ${now}`);
    answers.set(key, now);
  }
}

it('keeps every acknowledged write when it is killed', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'k3ts-crash-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const random = seededRandom(42);
  const answers: Answers = new Map();
  let newest = 0;
  let writes = 0;
  for (let round = 0; round < 10; round++) {
    const lastOfClient = new Map<string, string>();
    for (const line of await writeAndKill(dataDir, round, 1 + random.integer(1500))) {
      const [kind = '', key = '', text = ''] = line.split(' ');
      const revision = Number(text);
      if (kind === 'open') {
        assert.ok(revision >= newest, 'revisions went back after a crash');
        continue;
      }
      newest = Math.max(newest, revision);
      answers.set(key, kind === 'delete' ? 0 : revision);
      lastOfClient.set(key.replace(/-\d+$/, ''), key);
      writes++;
    }
    const options = { endpoint: '', dataDir, clock: systemClock, log: silentLogger };
    const store = await openBackend(options);
    try {
      assert.ok(store.currentRevision >= newest);
      await check(store, answers, new Set(lastOfClient.values()));
    } finally {
      await store.close();
    }
  }
  t.diagnostic(`${writes} acknowledged writes over 10 kills, ${answers.size} keys checked`);
});
