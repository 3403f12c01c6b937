/** Debian's Python client, which many scripts and operators are written with. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const run = promisify(execFile);
let api: TestApi;
let problem = '';

before(async () => {
  api = await startTestApi({ disableScheduler: true });
  problem = await run('/usr/bin/python3', ['-c', 'import kubernetes']).then(
    () => '',
    () => 'python3-kubernetes is missing: scripts/install-packages.sh test installs it',
  );
});
after(() => api.close());

test('a Python program creates, watches, pages, extends and is told what is wrong', async (t) => {
  if (problem !== '') {
    assert.ok(!process.env['CI'], problem);
    t.skip(problem);
    return;
  }
  const program = join(import.meta.dirname, 'python-client.py');
  const { stdout } = await run('/usr/bin/python3', [program, api.kubeconfig], { timeout: 180_000 });
  const lines = stdout.trim().split('\n');
  const seen = lines.map((line) => JSON.parse(line) as { name: string; value: unknown });
  assert.deepEqual(Object.fromEntries(seen.map(({ name, value }) => [name, value])), {
    version: 'v1.36.2+k3ts1',
    stale: [409, 'Conflict'],
    data: { k: 'v', more: 'x' },
    pages: ['a', 'b'],
    watch: [
      ['MODIFIED', 'a'],
      ['DELETED', 'b'],
    ],
    scale: 2,
    dynamic: 4,
    refused: ['metadata.name', 'spec.ports[0].port', 'spec.ports[0].targetPort'],
    allowed: true,
  });
  await api.until('/api/v1/namespaces/python', ({ status }) => status === 404);
});

test('paths of web services end in a slash or not, those of checks do not', async () => {
  const paths = ['/version', '/openid/v1/jwks', '/.well-known/openid-configuration', '/apis/apps'];
  for (const path of paths) {
    const [bare, slashed] = [await api.request('GET', path), await api.request('GET', `${path}/`)];
    assert.deepEqual([slashed.status, slashed.text], [200, bare.text], path);
  }
  assert.equal((await api.request('GET', '/readyz/')).status, 404);
});
