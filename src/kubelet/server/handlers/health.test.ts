import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeletView } from '../server-options.ts';
import { findRoute } from '../routes.ts';
import { healthText } from './health.ts';

const view = (isSyncing: boolean): KubeletView => ({
  podByName: () => undefined,
  pods: () => [],
  runningPods: () => [],
  getContainer: () => undefined,
  sandboxId: () => undefined,
  isSyncing: () => isSyncing,
});

test('health fails when the loop over the runtime is stuck, and says which check', () => {
  assert.equal(healthText(view(true), undefined), 'ok');
  assert.equal(healthText(view(true), 'syncloop'), 'ok');
  assert.equal(healthText(view(false), 'ping'), 'ok');
  const body = '[+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n';
  assert.throws(() => healthText(view(false), undefined), { httpCode: 500, message: body });
  assert.throws(() => healthText(view(false), 'syncloop'), { httpCode: 500 });
  assert.throws(() => healthText(view(true), 'other'), { httpCode: 404 });
});

test('without debugging handlers, exec, logs and the like are refused with 405', () => {
  const off = { hasDebuggingHandlers: false };
  for (const name of ['exec', 'run', 'containerLogs', 'attach', 'portForward', 'configz']) {
    assert.throws(() => findRoute('GET', [name], off), {
      httpCode: 405,
      message: 'Debug endpoints are disabled.\n',
    });
  }
  assert.ok(findRoute('GET', ['pods'], off));
  assert.ok(findRoute('GET', ['containerLogs'], {}));
});
