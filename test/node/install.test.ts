/**
 * install.sh, k3ts-killall.sh and k3ts-uninstall.sh on a machine without an init system, as a user
 * runs them. What they leave is compared with the machine as it was before.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCommand, type CommandResult } from '#host/process.ts';
import { fixtures } from '../fixtures/images.ts';
import { createLab, labProblem, waitFor, type Lab, type Machine } from '../harness/mod.ts';

const skip = await labProblem();
const installer = join(import.meta.dirname, '../../install.sh');
let lab: Lab;
let machine: Machine;

before(async () => {
  if (skip !== false) return;
  lab = await createLab();
  machine = await lab.addMachine('edge');
  // Also private, as they are written to; and the kubelet's a plain directory as on most machines.
  await machine.sh(`for d in /usr/local/bin /var/cache; do mount -t tmpfs -o mode=755 tmpfs $d; done
    umount /var/lib/kubelet && rmdir /var/lib/kubelet`);
});
after(async () => await lab?.close());

/** Answers exit code and both outputs; a failing installer is an answer too. */
async function install(words = '', ...environment: string[]): Promise<CommandResult> {
  const variables = [`INSTALL_K3S_EXEC=${words}`, ...environment];
  const okExitCodes = [0, 1];
  return await machine.run('env', [...variables, 'sh', installer], {
    okExitCodes,
    timeoutMs: 90_000,
  });
}

async function kubectl(...args: string[]): Promise<string> {
  return (await machine.run('/usr/local/bin/k3ts', ['kubectl', ...args])).stdout.trim();
}

/** Everything a node adds to a machine, as text. */
async function machineState(): Promise<Record<string, string>> {
  const commands = {
    mounts: 'cut -d" " -f4,5,9- /proc/self/mountinfo | sort',
    links: 'ip -o link | cut -d: -f2 | sort',
    routes: 'ip route; ip -6 route; ip rule',
    networkNamespaces: 'ls /run/netns 2>/dev/null || true',
    // Tables that are there without rules and chains of their own say nothing.
    rules: '(iptables-save; ip6tables-save) | grep -E "^-A|^:[^ ]+ -" | sort || true',
    cgroups: 'find /sys/fs/cgroup -type d | sort',
    processes: 'ps -eo args= | grep -v -E "^(ps|grep|sh -c|sort)" | sort',
    runFiles: 'find /run /var/lib/cni -mindepth 1 | sort',
  };
  const state: Record<string, string> = {};
  for (const [name, command] of Object.entries(commands)) state[name] = await machine.sh(command);
  return state;
}

/** Files that an installation makes; not what node compiled, which the flags' check writes too. */
async function files(): Promise<string> {
  const places = '/etc /var/lib /var/log /usr/local/bin /run';
  const names = 'rancher|k3ts|/k3s|kubelet|/cni|/ctr|crictl|/var/log/(pods|containers)';
  return await machine.sh(`find ${places} | grep -E '${names}'`);
}

const pod = `
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
    - name: web
      image: docker.io/test/web:1
      ports: [{ containerPort: 80, hostPort: 8088 }]
      volumeMounts:
        - { name: memory, mountPath: /memory }
        - { name: host, mountPath: /host, subPath: part }
  volumes:
    - { name: memory, emptyDir: { medium: Memory } }
    - { name: host, hostPath: { path: /var/lib/precious } }
`;

test('words of the command line reach k3ts as they are under each init system', async () => {
  const functions = join(import.meta.dirname, '../../scripts/service/functions.sh');
  const words = ['a b', "it's", '50%', '$HOME', 'q"q', String.raw`b\n`, '`id`', ''];
  const render = async (kind: string): Promise<string> => {
    const script = `. ${functions}
      render() { service=k3ts program=/bin/printf env_file=/nowhere; quote_words "$@"; render_${kind}; }
      render "$@"`;
    const args = ['-c', script, 'sh', ...words];
    return (await runCommand({ command: 'sh', args, timeoutMs: 60_000 })).stdout;
  };
  const run = async (script: string): Promise<string> =>
    (await runCommand({ command: 'sh', args: ['-c', script], timeoutMs: 60_000 })).stdout;
  const asGiven = words
    .slice(1)
    .map((word) => `${word}|`)
    .join('');
  words[0] = '%s|';
  assert.equal(await run(await render('run')), asGiven);
  const openrc = (await render('openrc')).split('\n').filter((line) => line.startsWith('command'));
  // As openrc-run calls its supervisor.
  assert.equal(await run(`${openrc.join('\n')}; eval "$command" "$command_args"`), asGiven);
  // systemd.service(5): "%%" and "$$" stand for the characters themselves.
  const unit = String.raw`"%%s|" "it's" "50%%" "$$HOME" "q\"q" "b\\n" "` + '`id`" ""';
  assert.ok((await render('unit')).includes(`\nExecStart=/bin/printf ${unit}\n`));
});

test('flags that do not work end before anything is changed', { skip }, async () => {
  const filesBefore = await files();
  const stateBefore = await machineState();
  const cases = [
    ['--no-such-flag', /flag provided but not defined: --no-such-flag/],
    ['server --disable nothing', /no such component/],
    ['cluster', /unknown command "cluster": server or agent expected/],
    ['--node-name "unfinished', /quote without its end/],
    ['agent', /--server is required/],
  ] as const;
  for (const [words, message] of cases) {
    const { exitCode, stderr } = await install(words);
    assert.equal(exitCode, 1, words);
    assert.match(stderr, message);
  }
  assert.equal(await files(), filesBefore);
  assert.deepEqual(await machineState(), stateBefore);
});

test(
  'installs, keeps containers at the next run, and is removed without a trace',
  { skip },
  async (context) => {
    const stateBefore = await machineState();
    const filesBefore = await files();
    await machine.sh(`mkdir -p /var/lib/precious/part /var/lib/rancher/k3s/agent/images
    echo data >/var/lib/precious/part/file
    cp ${await fixtures.web()} /var/lib/rancher/k3s/agent/images/web.tar`);

    const words = `--node-name 'edge-1' --node-label "room=attic"`;
    const first = await install(words, 'K3S_TOKEN=a"b$c', 'no_proxy=10.0.0.0/8');
    context.diagnostic(first.stdout);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.match(first.stdout, /the node is Ready\nNAME +STATUS.*\nedge-1 +Ready/);
    assert.equal(
      await kubectl('get', 'node', 'edge-1', '-o', 'jsonpath={.metadata.labels.room}'),
      'attic',
    );
    assert.match(await machine.sh('cat /var/lib/rancher/k3s/server/token'), /::server:a"b\$c\n$/);
    assert.equal(await machine.sh('stat -c %a /etc/rancher/k3s/k3ts.env'), '600\n');

    // The first word of k3s' guides.
    await machine.run('/usr/local/bin/k3s', ['kubectl', 'apply', '-f', '-'], { stdin: pod });
    await kubectl('wait', 'pod/web', '--for=condition=Ready', '--timeout=100s');
    const exec = `echo input | /usr/local/bin/crictl exec -i web sh -c 'cat; exit 7'; echo $?`;
    assert.equal(await machine.sh(exec), 'input\n7\n');
    const containers = async (): Promise<string> =>
      await machine.sh(
        '/usr/local/bin/crictl ps -q; cat /sys/fs/cgroup/{,pids/}kubepods/*/*/cgroup.procs 2>/dev/null || true',
      );
    const running = await containers();
    assert.match(running, /^[0-9a-f]{12}/);
    const second = await install(words, 'K3S_TOKEN=a"b$c');
    assert.equal(second.exitCode, 0, second.stderr);
    assert.equal(await containers(), running);
    assert.equal(await machine.sh('busybox wget -qO- http://127.0.0.1:8088'), 'web\n');

    await machine.sh('/usr/local/bin/k3s-killall.sh');
    assert.deepEqual(await machineState(), stateBefore);
    assert.equal(await machine.sh('cat /var/lib/precious/part/file'), 'data\n');

    // A disk of the user's below the data directory is not emptied.
    await machine.sh(`mkdir -p /var/lib/rancher/k3s/storage/disk
    mount -t tmpfs tmpfs /var/lib/rancher/k3s/storage/disk
    echo data >/var/lib/rancher/k3s/storage/disk/file`);
    const refused = await machine.run('/usr/local/bin/k3ts-uninstall.sh', [], { okExitCodes: [1] });
    assert.match(refused.stderr, /storage stays, unmount these first: \S+\/storage\/disk\n/);
    assert.equal(await machine.sh('cat /var/lib/rancher/k3s/storage/disk/file'), 'data\n');
    await machine.sh('umount /var/lib/rancher/k3s/storage/disk');
    await machine.run(join(import.meta.dirname, '../../scripts/service/uninstall.sh'));
    assert.equal(await files(), filesBefore);
    assert.equal(await machine.sh('ls /var/cache'), '');
    assert.deepEqual(await machineState(), stateBefore);
  },
);

test(
  'a server that cannot start is told with the end of its log, and tried again',
  { skip },
  async () => {
    await machine.sh(
      'setsid busybox nc -ll -p 6443 -e true </dev/null >/dev/null 2>&1 & echo $! >/run/nc.pid',
    );
    const { exitCode, stderr } = await install();
    assert.equal(exitCode, 1);
    assert.match(stderr, /port 6443 on \S+ is in use/);
    assert.match(stderr, /k3ts ended with an error; it is tried again every 5 seconds/);
    await machine.sh('kill $(cat /run/nc.pid)');
    await waitFor('the next attempt', async () =>
      (await kubectl('get', 'nodes')).includes(' Ready'),
    );
    await machine.sh('/usr/local/bin/k3ts-uninstall.sh');
  },
);

test('a machine with K3S_URL becomes a node of that server', { skip }, async () => {
  const second = await lab.addMachine('edge-2');
  await second.sh(
    'for d in /usr/local/bin /var/cache; do mount -t tmpfs -o mode=755 tmpfs $d; done',
  );
  const joined = async (...environment: string[]): Promise<CommandResult> =>
    await second.run(
      'env',
      [`K3S_URL=https://${machine.address}:6443`, ...environment, 'sh', installer],
      {
        okExitCodes: [0, 1],
        timeoutMs: 90_000,
      },
    );
  assert.match((await joined()).stderr, /--token is required/);
  assert.equal((await install('', 'K3S_TOKEN=secret')).exitCode, 0);
  const { exitCode, stdout, stderr } = await joined('K3S_TOKEN=secret');
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /starting k3ts-agent[^]*the node is Ready/);
  assert.match(await kubectl('get', 'nodes'), /^edge-2 +Ready/m);
  await second.sh('/usr/local/bin/k3ts-uninstall.sh');
  assert.equal(await second.sh('ls /usr/local/bin /var/cache /run | grep k3 || true'), '');
});
