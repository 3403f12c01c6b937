import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { renderCommandsReference } from './commands-reference.ts';
import { renderCompletion } from './commands/completion.ts';

test('docs/reference/commands.md is what the commands say', async () => {
  const path = join(import.meta.dirname, '../../docs/reference/commands.md');
  assert.equal(
    readFileSync(path, 'utf8'),
    await renderCommandsReference(),
    'run npm run generate:docs',
  );
});

test('bash completes commands, their commands, and the flags of those', async () => {
  const script = await renderCompletion('bash');
  const complete = (...words: string[]): string[] => {
    const set = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`;
    const run = `${script}\n${set}; _k3ts; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', run], { encoding: 'utf8' }).trim().split('\n');
  };
  assert.deepEqual(complete('k3ts', 'cert'), ['certificate']);
  assert.deepEqual(complete('k3ts', 'token', 'ge'), ['generate']);
  assert.deepEqual(complete('k3ts', 'token', 'create', '--t'), ['--ttl']);
  assert.deepEqual(complete('k3ts', 'crictl', 'logs', '--f'), ['--follow']);
  assert.deepEqual(complete('k3ts', 'server', '--data-'), ['--data-dir']);
});
