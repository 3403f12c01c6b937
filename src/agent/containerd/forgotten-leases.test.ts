import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { releaseLeases } from './forgotten-leases.ts';

const heading = 'ID             CREATED AT           LABELS';
const old = 'gone-1 2026-11-21T19:21:36Z containerd.io/gc.expire=2026-11-22T19:21:36Z';
const kept = 'kept 2026-11-21T19:21:36Z -';
const fresh = 'new-1 2026-11-21T19:22:10Z containerd.io/gc.expire=2026-11-22T19:22:10Z';
const startMs = Date.parse('2026-11-21T19:22:10.500Z');

/** A `ctr` that lists these lines and notes what else it is asked for. */
async function ctrOf(context: TestContext, lines: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-leases-'));
  context.after(() => rm(directory, { recursive: true }));
  const [ctr, calls] = [join(directory, 'ctr'), join(directory, 'calls')];
  await writeFile(join(directory, 'list'), `${[heading, ...lines].join(' \n')} \n`);
  const script = `#!/bin/sh\n[ $6 = list ] && exec cat ${directory}/list\necho "$*" >>${calls}\n`;
  await writeFile(ctr, script);
  await chmod(ctr, 0o755);
  const called = (): Promise<string> => readFile(calls, 'utf8').catch(() => '');
  return { options: { ctr, socket: '/s', log: silentLogger }, called };
}

test('temporary leases from before the start go, others stay', async (context) => {
  const { options, called } = await ctrOf(context, [old, kept, fresh]);
  assert.deepEqual(await releaseLeases(options, startMs), ['gone-1']);
  assert.equal(await called(), '--address /s --namespace k8s.io leases delete --sync gone-1\n');
});

test('without such leases nothing is deleted', async (context) => {
  const { options, called } = await ctrOf(context, [kept, fresh]);
  assert.deepEqual(await releaseLeases(options, startMs), []);
  assert.equal(await called(), '');
});
