import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createLogger } from '#base/log.ts';
import { traced, traceMark } from '#base/trace.ts';
import { logSteps, wantsDebug } from './log-steps.ts';

test('--debug and -v 4 ask for debug lines', () => {
  assert.equal(wantsDebug(new Map([['debug', true]])), true);
  assert.equal(wantsDebug(new Map([['v', 4]])), true);
  assert.equal(wantsDebug(new Map([['v', 2]])), false);
  assert.equal(wantsDebug(new Map()), false);
});

test('steps that name an object or fail become lines', async () => {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    now: () => 0,
    write: (line) => void lines.push(line.replace(/^time="[^"]*" level=debug /, '').trim()),
  });
  const stop = logSteps(log);
  try {
    traceMark('pod.seen', () => ({ key: 'pods/default/a', uid: 'u1' }));
    await traced('write.validate', {}, () => Promise.resolve());
    const failing = traced('write.mutate', {}, () => Promise.reject(new Error('no')));
    await assert.rejects(failing);
  } finally {
    stop();
  }
  traceMark('pod.seen', () => ({ key: 'pods/default/b' }));
  assert.equal(lines.length, 2);
  assert.equal(lines[0], 'msg="pod.seen" key=pods/default/a uid=u1');
  assert.match(lines[1] ?? '', /^msg="write\.mutate" ms=[\d.]+ error=no$/);
});
