import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtures } from '../fixtures/images.ts';
import { createLab, labProblem, type Machine } from '../harness/mod.ts';

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
    await importImages({
      directory: containerd.paths.images, store: containerd.images, path: process.env.PATH,
      pullImage: async () => {}, clock, log, signal: stop.signal,
    });
    stop.abort();
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
  const running = machine.run('sh', line, { timeoutMs: 60_000 });
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
