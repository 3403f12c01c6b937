import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from './log.ts';
import { createProblemLog } from './problem-log.ts';

test('a problem that stays is told once, another one and the end of it again', () => {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    now: () => 0,
    write: (line) => void lines.push(line.replace(/^time=\S+ /, '').trimEnd()),
  });
  const problems = createProblemLog({ log, message: 'Cannot do it', recovered: 'Did it' });
  problems.worked();
  problems.failed(new Error('no tool'));
  problems.failed(new Error('no tool'));
  problems.failed(new Error('no right'));
  problems.worked();
  problems.worked();
  problems.failed(new Error('no right'));
  assert.deepEqual(lines, [
    'level=error msg="Cannot do it" error="no tool"',
    'level=error msg="Cannot do it" error="no right"',
    'level=info msg="Did it"',
    'level=error msg="Cannot do it" error="no right"',
  ]);
});
