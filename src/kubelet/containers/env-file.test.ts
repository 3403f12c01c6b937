import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { containerEnvironment } from './environment.ts';
import { envFileValue } from './env-file.ts';

test('a value stands between single quotes, over several lines if need be', () => {
  const text = [
    '# made by the init container',
    '',
    "  A='one' # a comment",
    "B='two",
    '  $(A) "lines"\'',
    "C= 'nothing'",
    "D='x=y'",
    "D='later'",
  ].join('\n');
  const values = ['A', 'B', 'C', 'D', 'E'].map((key) => envFileValue(text, key));
  assert.deepEqual(values, ['one', 'two\n  $(A) "lines"', '', 'x=y', '']);
});

test('what is wrong before the key is told with its line', () => {
  const table: [string, string][] = [
    ['A', "line 1: missing '='"],
    ["\nA ='x'", "line 2: whitespace before '=' is not allowed"],
    ["='x'", 'line 1: empty variable name'],
    ['A=x', 'line 1: value must be enclosed in single quotes'],
    ['A=', 'line 1: value must be enclosed in single quotes'],
    ["A='x'y", 'line 1: unexpected content after closing quote'],
    ["\nA='x\ny", 'line 2: unclosed single quote'],
  ];
  for (const [text, problem] of table) {
    assert.throws(() => envFileValue(text, 'A'), { message: new RegExp(`format at ${problem}$`) });
  }
  assert.equal(envFileValue("A='x'\nbroken", 'A'), 'x');
});

test('variables come from files of mounted volumes, and from nowhere else', async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-env-file-'));
  context.after(() => rm(root, { recursive: true }));
  const hostPath = join(root, 'volume');
  await mkdir(join(hostPath, 'sub'), { recursive: true });
  await writeFile(join(hostPath, 'sub/vars'), "A='one'\n");
  await writeFile(join(root, 'outside'), "A='secret'\n");
  await symlink('../outside', join(hostPath, 'link'));
  const valueOf = async (path: string, more: { key?: string; optional?: boolean } = {}) => {
    const fileKeyRef = { volumeName: 'v', path, key: 'A', ...more };
    const container = { name: 'c', env: [{ name: 'X', valueFrom: { fileKeyRef } }] };
    const environment = await containerEnvironment({
      pod: { metadata: { name: 'p' }, spec: { containers: [container] } },
      container,
      podIps: [],
      hostIps: [],
      services: [],
      objects: {
        configMap: async () => assert.fail('not asked for'),
        secret: async () => assert.fail('not asked for'),
      },
      allocatable: {},
      mounted: new Map([['v', { hostPath }]]),
    });
    return environment.get('X');
  };
  assert.equal(await valueOf('sub/vars'), 'one');
  assert.equal(await valueOf('sub/vars', { key: 'B', optional: true }), undefined);
  const key = 'environment variable key "B" not found in file "sub/vars"';
  await assert.rejects(valueOf('sub/vars', { key: 'B' }), { message: key });
  for (const path of ['link', 'none', 'sub']) {
    const message = "couldn't parse env file";
    await assert.rejects(valueOf(path, { optional: true }), { message }, path);
  }
});
