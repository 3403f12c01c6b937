import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixtures } from '../fixtures/images.ts';
import { createLab, labProblem, waitFor, type Machine } from '../harness/mod.ts';

const skip = await labProblem();

/** What the program below reports. */
interface Report {
  isAdopted: boolean;
  version: string;
  images: string[];
  pid: number;
  tookMs: number;
}

const ends = {
  release: 'containerd.release()',
  stop: 'await containerd.stop()',
  'kill -9': "process.kill(process.pid, 'SIGKILL')",
} as const;

/** Starts containerd on the machine as an agent does, and then ends in one of three ways. */
async function start(
  machine: Machine,
  end: 'release' | 'stop' | 'kill -9',
  more = '',
): Promise<Report> {
  const script = `
    import { readFile, writeFile } from 'node:fs/promises';
    import { systemClock as clock } from '#base/clock.ts';
    import { createLogger } from '#base/log.ts';
    import { createCriClient } from '#kubelet/cri/mod.ts';
    import { importImages, startContainerd } from '#agent/containerd/mod.ts';
    const write = (line) => process.stderr.write(line);
    const log = createLogger({ level: 'debug', now: clock.now, write });
    const begin = performance.now();
    const stop = new AbortController();
    const containerd = await startContainerd({
      dataDir: '/var/lib/rancher/k3s', runDir: '/run/k3s',
      privateRegistry: '/etc/rancher/k3s/registries.yaml',
      path: process.env.PATH, environment: process.env, cniConfDir: '/etc/cni/net.d',
      pauseImage: 'rancher/mirrored-pause:3.6', snapshotter: 'overlayfs', clock, log,
      signal: stop.signal, ${more}
    });
    const tookMs = performance.now() - begin;
    const cri = createCriClient({ socketPath: containerd.socket, clock, log });
    await importImages({
      directory: containerd.paths.images, store: containerd.images, path: process.env.PATH,
      pullImage: async (image) => void (await cri.images.pullImage({ image }, {})), clock, log, signal: stop.signal,
    });
    stop.abort();
    cri.close();
    const pid = Number(await readFile(containerd.paths.pidFile, 'utf8'));
    const names = [...await containerd.images.list()];
    const images = names.filter((name) => !name.startsWith('sha256:'));
    const { isAdopted, version: { runtimeVersion: version } } = containerd;
    const report = { isAdopted, version, images, pid, tookMs };
    await writeFile('/run/report', JSON.stringify(report));
    ${ends[end]};
  `;
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module-typescript',
    '-e',
    script,
  ];
  // The program imports by the names of our package.
  const line = ['-c', `cd ${import.meta.dirname} && exec "$@"`, 'sh', process.execPath, ...args];
  const running = machine.run('sh', line, { timeoutMs: 180_000 });
  if (end === 'kill -9') await assert.rejects(running, /Killed|killed by SIGKILL|exit code 137/);
  else await running;
  return JSON.parse(await machine.sh('cat /run/report; rm /run/report')) as Report;
}

test(
  'containerd starts, is adopted, restarts for a new configuration and stops',
  { skip },
  async () => {
    const lab = await createLab();
    try {
      const machine = await lab.addMachine();
      const web = await fixtures.web();
      await machine.sh(`mkdir -p /var/lib/rancher/k3s/agent/images
      cp ${web} /var/lib/rancher/k3s/agent/images/web.tar
      zstd -q ${await fixtures.crash()} -o /var/lib/rancher/k3s/agent/images/crash.tar.zst
      lz4 -q ${await fixtures.busybox()} /var/lib/rancher/k3s/agent/images/busybox.tar.lz4`);
      const first = await start(machine, 'kill -9');
      assert.equal(first.isAdopted, false);
      assert.deepEqual(first.images.sort(), [
        'docker.io/rancher/mirrored-pause:3.6',
        'docker.io/test/busybox:1',
        'docker.io/test/crash:1',
        'docker.io/test/web:1',
      ]);
      const second = await start(machine, 'release');
      assert.equal(second.isAdopted, true);
      assert.equal(second.pid, first.pid);
      const third = await start(machine, 'stop', 'streamPort: 10011');
      assert.equal(third.isAdopted, false);
      assert.notEqual(third.pid, first.pid);
      assert.deepEqual(await machine.processes(/^\S*containerd --config/), []);
      const labels = await machine.sh('cat /var/lib/rancher/k3s/agent/etc/crictl.yaml');
      assert.match(labels, /^runtime-endpoint: unix:\/\/\/run\/k3s\/containerd\/containerd.sock$/m);
    } finally {
      await lab.close();
    }
  },
);

test(
  'a configuration that containerd refuses is an error with its last line',
  { skip },
  async () => {
    const lab = await createLab();
    try {
      const machine = await lab.addMachine();
      await machine.sh(`mkdir -p /var/lib/rancher/k3s/agent/etc/containerd
      echo 'version = "x' >/var/lib/rancher/k3s/agent/etc/containerd/config.toml.tmpl`);
      await assert.rejects(
        start(machine, 'stop'),
        /containerd does not run \(exit code 1\); last line/,
      );
      assert.deepEqual(await machine.processes(/^\S*containerd --config/), []);
    } finally {
      await lab.close();
    }
  },
);

test('pulls a list of images through a mirror with credentials', { skip }, async () => {
  const lab = await createLab();
  try {
    const machine = await lab.addMachine();
    const log = join(lab.directory, 'registry.log');
    const output = openSync(log, 'a');
    const program = join(import.meta.dirname, '../fixtures/registry.ts');
    const args = [program, '5000', '--user', 'me:secret', await fixtures.web()];
    machine.spawn(process.execPath, args, { output }).unref();
    closeSync(output);
    const requests = async (): Promise<string> => await readFile(log, 'utf8');
    await waitFor('the registry', async () => (await requests()).includes('registry on 5000'));
    const registries = `
mirrors:
  docker.io: {endpoint: ["http://10.99.0.1:5000"]}
configs:
  "10.99.0.1:5000": {auth: {username: me, password: secret}}
`;
    await machine.sh('mkdir -p /etc/rancher/k3s; cat >/etc/rancher/k3s/registries.yaml', {
      stdin: registries,
    });
    await machine.sh(`mkdir -p /var/lib/rancher/k3s/agent/images
      echo docker.io/test/web:1 >/var/lib/rancher/k3s/agent/images/list.txt`);
    const report = await start(machine, 'stop');
    assert.ok(report.images.includes('docker.io/test/web:1'), await requests());
    assert.match(await requests(), /GET \/v2\/test\/web\/blobs\/sha256:/);
  } finally {
    await lab.close();
  }
});
