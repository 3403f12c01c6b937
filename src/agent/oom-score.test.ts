import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#base/log.ts';
import { keepFromOomKiller } from './oom-score.ts';

async function linesOf(failure: Error | undefined, isGiven: boolean): Promise<string[]> {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    now: () => 0,
    write: (line) => void lines.push(line.replace(/^time=\S+ /, '').trimEnd()),
  });
  const set = async (): Promise<void> => {
    if (failure !== undefined) throw failure;
  };
  await keepFromOomKiller({ value: -999, isGiven, log, set });
  return lines;
}

const notAllowed = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });

test('a score that was not asked for and cannot be had is no warning', async () => {
  assert.deepEqual(await linesOf(undefined, false), []);
  assert.deepEqual(await linesOf(notAllowed, false), [
    'level=info msg="The OOM score of the agent stays as it is: the capability SYS_RESOURCE is missing" wanted=-999',
  ]);
});

test('a score that was asked for, or another failure, is one', async () => {
  assert.deepEqual(await linesOf(notAllowed, true), [
    'level=warning msg="Cannot set the OOM score of the agent" wanted=-999 error="EACCES: permission denied"',
  ]);
  assert.deepEqual(await linesOf(new Error('no /proc'), false), [
    'level=warning msg="Cannot set the OOM score of the agent" wanted=-999 error="no /proc"',
  ]);
});
