/** What a user sees who starts k3ts the wrong way: one line that says what to change, exit code 1. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';

const skip = await labProblem();
const program = join(fileURLToPath(new URL('../..', import.meta.url)), 'bin/k3ts');
let node: TestNode;

before(async () => {
  if (skip === false) node = await startNode({ isStopped: true });
});
after(async () => await node?.close());

/** Runs k3ts with a line of arguments to its end; its messages without those of the log. */
async function start(line: string, before = ''): Promise<{ exitCode: number; said: string[] }> {
  const script = `${before} timeout 60 "$0" ${line} 2>&1`;
  const result = await node.run('sh', ['-c', script, program], {
    okExitCodes: [0, 1, 2, 3, 124],
    timeoutMs: 90_000,
  });
  const lines = result.stdout.split('\n').filter((text) => text !== '');
  return {
    exitCode: result.exitCode,
    said: lines.filter((text) => !text.startsWith('time=')),
  };
}

const refused: readonly [line: string, message: string | RegExp][] = [
  ['server --nope', 'flag provided but not defined: --nope'],
  ['server extra', 'unexpected argument "extra"'],
  ['server --kubelet-arg', 'flag needs an argument: --kubelet-arg'],
  ['server --kube-apiserver-arg foo=1', '--kube-apiserver-arg: unknown flag: --foo'],
  ['server --kubelet-arg foo=1', '--kubelet-arg: unknown flag: --foo'],
  [
    'server --kubelet-arg max-pods=-1',
    'failed to validate kubelet configuration, error: invalid configuration: maxPods (--max-pods) -1 must not be a negative number, path: ',
  ],
  [
    'server --kubelet-arg cpu-manager-policy=static',
    /\[cpumanager\] the static policy requires systemreserved\.cpu \+ kubereserved\.cpu to be greater/,
  ],
  ['server --cluster-cidr banana', /^invalid --cluster-cidr "banana": invalid CIDR address/],
  ['server --service-cidr 10.43.0.0/33', /^invalid --service-cidr "10.43.0.0\/33": invalid CIDR/],
  [
    'server --cluster-cidr 10.43.128.0/17',
    '--cluster-cidr 10.43.128.0/17 and --service-cidr 10.43.0.0/16 overlap',
  ],
  ['server --https-listen-port 99999', 'invalid --https-listen-port 99999: a port expected'],
  ['server --node-taint foo', /^invalid --node-taint "foo"/],
  ['server --config /nonexistent', 'config file /nonexistent does not exist'],
  ['server --write-kubeconfig-mode 9z', /^invalid --write-kubeconfig-mode "9z"/],
  [
    'server --data-dir /dev/null/x',
    /^cannot use --data-dir \/dev\/null\/x: ENOTDIR.*; choose a directory$/,
  ],
  ['server --data-dir /proc', /^cannot use --data-dir \/proc: ENOENT: .*; choose a directory on/],
  ['server --node-ip 127.0.0.1', /^invalid --node-ip 127\.0\.0\.1: it is on the loopback; /],
  ['server --datastore-endpoint mongodb://x', /^Option --datastore-endpoint has no known scheme/],
  ['agent', '--server is required'],
  ['agent --server https://127.0.0.1:6443', '--token is required'],
  [
    'agent --server https://127.0.0.1:6443 --token x --data-dir /proc/none',
    /^cannot use --data-dir \/proc\/none: ENOENT: .*; choose a directory on/,
  ],
  ['agent --server nonsense --token x', 'invalid --server "nonsense": https://HOST:6443 expected'],
];
for (const [line, message] of refused) {
  test(`k3ts ${line}`, { skip }, async () => {
    const { exitCode, said } = await start(line);
    assert.equal(exitCode, 1);
    assert.equal(said.length, 1, said.join('\n'));
    const text = said[0]?.replace(/^k3ts: /, '') ?? '';
    if (typeof message === 'string') assert.equal(text, message);
    else assert.match(text, message);
  });
}

test('a user who is not root is told so', { skip }, async () => {
  const readable = await node.run('setpriv', ['--reuid=65534', '--', 'test', '-r', program], {
    okExitCodes: [0, 1],
  });
  if (readable.exitCode !== 0) return;
  const { exitCode, said } = await start(
    'server',
    'HOME=/tmp setpriv --reuid=65534 --clear-groups',
  );
  assert.deepEqual(said, ['k3ts: must run as root: try "sudo k3ts server"']);
  assert.equal(exitCode, 1);
});

test('without a default route the start says how to get an address', { skip }, async () => {
  const { exitCode, said } = await start('server', 'unshare -n');
  assert.equal(said.length, 1, said.join('\n'));
  assert.match(said[0] ?? '', /^k3ts: no default route found .*: set --node-ip .* type dummy /);
  assert.equal(exitCode, 1);
});

test('without containerd the agent says how to get it', { skip }, async () => {
  const hide = "unshare -m sh -c 'for f in /usr/bin/containerd* /usr/sbin/runc /usr/bin/runc; do";
  const script = `${hide} [ -e "$f" ] && mount --bind /dev/null "$f"; done; "$@"' hide`;
  const line = 'agent --server https://127.0.0.1:1 --token x';
  const { exitCode, said } = await start(line, script);
  assert.equal(said.length, 1, said.join('\n'));
  assert.match(said[0] ?? '', /containerd/);
  assert.equal(exitCode, 1);
});

test('a port in use, a second server and a wrong token', { skip }, async () => {
  await node.restart(['--disable-agent']);
  const kubeconfig = 'test -e /etc/rancher/k3s/k3s.yaml';
  await waitFor('the server', async () => (await node.machine.sh(kubeconfig)) === '');
  await waitFor('readiness', async () => (await node.kubectl(['get', '--raw=/readyz'])) === 'ok');
  const other = await start('server --disable-agent --data-dir /var/lib/rancher/other');
  assert.match(other.said.join('\n'), /^k3ts: port 6443 on 0\.0\.0\.0 is in use: [^\n]*$/);
  assert.equal(other.exitCode, 1);
  const certificates = 'sha256sum /var/lib/rancher/k3s/server/tls/*.crt';
  const before = await node.machine.sh(certificates);
  const second = await start('server --disable-agent --tls-san other.example.org');
  assert.match(second.said.join('\n'), /^k3ts: Datastore "[^"]*" is in use by another [^\n]*$/);
  assert.equal(second.exitCode, 1);
  assert.equal(await node.machine.sh(certificates), before);
  for (const token of ['wrong', `K10${'a'.repeat(64)}::server:wrong`, 'K10abc::server:wrong']) {
    const { exitCode, said } = await start(
      `agent --server https://127.0.0.1:6443 --token ${token}`,
    );
    assert.equal(said.length, 1, said.join('\n'));
    assert.match(said[0] ?? '', /token|CA/);
    assert.equal(exitCode, 1);
  }
  assert.equal(await node.kubectl(['get', '--raw=/readyz']), 'ok');
  await node.stop();
  const changed = await start('server --disable-agent --token another');
  assert.match(changed.said.join('\n'), /^k3ts: the token given is not the one [^\n]*$/);
  assert.equal(changed.exitCode, 1);
});
