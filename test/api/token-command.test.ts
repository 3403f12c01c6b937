/** `k3ts token` and `k3ts certificate` as an administrator runs them beside a server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { k3ts as runK3ts } from './command-line.ts';
import { startTestApi } from './server.ts';
import type { CommandAnswer, TestApi } from './server.ts';

let api: TestApi;
before(async () => {
  api = await startTestApi({ datastoreEndpoint: '' });
});
after(async () => await api.close());

/** With the environment of an administrator of `api`. */
async function k3ts(...args: string[]): Promise<CommandAnswer> {
  return await runK3ts(args, { KUBECONFIG: api.kubeconfig, K3S_DATA_DIR: api.dataDir });
}

const secrets = '/api/v1/namespaces/kube-system/secrets';

test('a created token joins nodes until it is deleted', async () => {
  const created = await k3ts('token', 'create', '--description', 'attic', '--ttl', '2h');
  assert.equal(created.code, 0, created.stderr);
  const [, token = ''] =
    /^K10[0-9a-f]{64}::([a-z0-9]{6}\.[a-z0-9]{16})\n$/.exec(created.stdout) ?? [];
  const [id = ''] = token.split('.');
  const join = { as: 'none' as const, headers: { authorization: `Bearer ${token}` } };
  assert.equal((await api.request('GET', '/v1-k3s/config', join)).status, 200);
  const listed = await k3ts('token', 'list');
  assert.match(
    listed.stdout,
    new RegExp(
      `^TOKEN +TTL +EXPIRES +USAGES +DESCRIPTION +EXTRA GROUPS\n` +
        `${id} +1h +20\\S+Z +authentication,signing +attic +system:bootstrappers:k3s:default-node-token\n$`,
    ),
  );
  const asJson = JSON.parse((await k3ts('token', 'list', '-o', 'json')).stdout) as object[];
  assert.deepEqual(asJson.length, 1);
  const again = await k3ts('token', 'create', token);
  assert.equal(again.code, 1);
  assert.equal(again.stderr, `k3ts: a token with id "${id}" already exists\n`);
  const deleted = await k3ts('token', 'delete', id);
  assert.equal(deleted.stdout, `bootstrap token "${id}" deleted\n`);
  assert.equal((await api.request('GET', `${secrets}/bootstrap-token-${id}`)).status, 404);
  assert.equal((await api.request('GET', '/v1-k3s/config', join)).status, 401);
});

test("a token without an end, of one's own choice", async () => {
  const own = 'abcdef.0123456789abcdef';
  const flags = ['--ttl', '0', '--usages', 'authentication', '--groups', 'system:bootstrappers:x'];
  const created = await k3ts('token', 'create', ...flags, own);
  assert.match(created.stdout, /^K10[0-9a-f]{64}::abcdef\.0123456789abcdef\n$/, created.stderr);
  const { json } = await api.request('GET', `${secrets}/bootstrap-token-abcdef`);
  const { data } = json as { data: Record<string, string> };
  assert.deepEqual(Object.keys(data).sort(), [
    'auth-extra-groups',
    'token-id',
    'token-secret',
    'usage-bootstrap-authentication',
  ]);
  assert.match((await k3ts('token', 'list')).stdout, /^abcdef +<forever> +<never> /m);
  assert.equal((await k3ts('token', 'delete', own)).stdout, 'bootstrap token "abcdef" deleted\n');
});

test('the token of the server is rotated while it runs', async () => {
  const tokenFile = join(api.dataDir, 'server', 'token');
  const status = async (token: string): Promise<number> => {
    const basic = Buffer.from(token.trim().replace(/^.*::/, '')).toString('base64');
    const headers = { authorization: `Basic ${basic}` };
    return (await api.request('GET', '/v1-k3s/config', { as: 'none', headers })).status;
  };
  const old = await readFile(tokenFile, 'utf8');
  assert.equal(await status(old), 200);
  const rotated = await k3ts('token', 'rotate', '--server', api.url);
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(
    rotated.stdout,
    /^WARNING: Recommended to keep a record .*\nToken rotated, restart /,
  );
  const fresh = await readFile(tokenFile, 'utf8');
  assert.notEqual(fresh, old);
  assert.equal(await status(fresh), 200);
  assert.notEqual(await status(old), 200);
  const own = await k3ts('token', 'rotate', '--server', api.url, '--new-token', 'my-own');
  assert.equal(own.code, 0, own.stderr);
  assert.match(await readFile(tokenFile, 'utf8'), /::server:my-own\n$/);
  const refused = await k3ts('token', 'rotate', '--server', api.url, '--token', old.trim());
  assert.equal(refused.code, 1);
});

test('the program ends with the exit code of its command', async () => {
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const env = { ...process.env, KUBECONFIG: '/none' };
  const [code, stdout, stderr] = await new Promise<unknown[]>((resolve) => {
    execFile(process.execPath, [main, 'token', 'list'], { env }, (error, ...texts) => {
      resolve([error?.code, ...texts]);
    });
  });
  assert.equal(code, 1, String(stdout));
  assert.match(String(stderr), /^k3ts: there is no \/none: run this on a server.*\n$/);
});

test('wrong tokens and flags end with a line', async () => {
  const cases: [string[], RegExp][] = [
    [['token', 'create', 'nonsense'], /^k3ts: the bootstrap token "nonsense" was not of the form /],
    [['token', 'create', '--ttl', 'soon'], /^k3ts: invalid --ttl "soon": time: invalid duration/],
    [['token', 'delete'], /^k3ts: missing argument; 'token delete' is missing token\n$/],
    [
      ['token', 'delete', 'zzzzzz'],
      /^k3ts: failed to delete bootstrap token "zzzzzz": .*not found\n$/,
    ],
    [['token', 'list', '--kubeconfig', '/none'], /^k3ts: there is no \/none: run this on a server/],
    [['token', 'nope'], /^k3ts: token has no command "nope"\n/],
    [['certificate', 'check', '-s', 'x'], /^k3ts: service x is not recognized; known: api-server/],
    [['certificate', 'check', '-d', '/none'], /^k3ts: there is no server or agent in \/none; /],
    [['certificate', 'check', '-o', 'xml'], /^k3ts: invalid output format xml\n$/],
  ];
  const check = async ([args, message]: [string[], RegExp]): Promise<void> => {
    const answer = await k3ts(...args);
    assert.equal(answer.code, 1, args.join(' '));
    assert.match(answer.stderr, message);
  };
  await Promise.all(cases.map(check));
});

test('certificates are shown, and new after a rotation and a restart', async () => {
  const shown = await k3ts('certificate', 'check', '-o', 'table');
  assert.match(shown.stdout, /^client-admin\.crt +system:admin +ClientAuth +\S.*UTC +1 year +OK$/m);
  const before = await k3ts('certificate', 'check', '-s', 'admin', '-o', 'json');
  const rotated = await k3ts('certificate', 'rotate');
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(rotated.stderr, /msg="Successfully backed up certificates to \S+\/tls-\d+, please/);
  const [backup = ''] = (await readdir(join(api.dataDir, 'server'))).filter((name) =>
    name.startsWith('tls-'),
  );
  assert.ok((await readdir(join(api.dataDir, 'server', backup))).includes('client-admin.key'));
  await api.restart();
  const after = await k3ts('certificate', 'check', '-s', 'admin', '-o', 'json');
  assert.equal(after.code, 0, after.stderr);
  const countOf = (text: string): number =>
    (JSON.parse(text) as { Certificates: unknown[] }).Certificates.length;
  assert.equal(countOf(after.stdout), countOf(before.stdout));
  const nodes = await api.kubectl(['get', 'ns']);
  assert.equal(nodes.code, 0, nodes.stderr);
});
