import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { detectCgroups } from '#host/cgroup-layout.ts';
import { isProcessAlive } from '#host/process.ts';
import { createLab, labProblem, waitFor } from './mod.ts';

const skip = await labProblem();

async function traces(id: string): Promise<string[]> {
  const { hierarchies } = await detectCgroups();
  const cgroups = hierarchies.map((mount) => `${mount}/k3ts-test-${id}`).filter(existsSync);
  const files = (await readdir(tmpdir())).filter((name) => name.startsWith(`k3ts-lab-${id}`));
  return [...cgroups, ...files];
}

test(
  'machines have their own view and reach each other until a link is cut',
  { skip },
  async () => {
    const lab = await createLab();
    try {
      const [one, two] = [await lab.addMachine('one'), await lab.addMachine('two')];
      assert.equal(await one.sh('hostname'), 'one\n');
      assert.equal(
        (await one.sh('ls -A /var/lib/rancher /run/k3s 2>/dev/null || true')).includes('k3s'),
        false,
      );
      assert.match(await one.sh('ls -A /sys/class/net'), /^eth0\nlo\n$/);
      assert.match(await one.sh('cat /proc/self/cgroup'), /^0::\/$/m);
      await one.sh('echo private >/etc/k3ts-lab-test; mkdir -p /sys/fs/cgroup/*/kubepods');
      assert.equal(existsSync('/etc/k3ts-lab-test'), false);
      const ping = ['ping', '-c1', '-W1', two.address];
      await one.run('busybox', ping);
      await lab.setLink(two, false);
      await assert.rejects(one.run('busybox', ping), { code: 'CommandFailed' });
      await lab.setLink(two, true);
      await waitFor('the link', async () => (await one.run('busybox', ping)).exitCode === 0);
    } finally {
      await lab.close();
    }
    assert.deepEqual(await traces(lab.id), []);
  },
);

test('a lab disappears with everything in it when its test is killed', { skip }, async () => {
  const script = `
    import { createLab } from '${import.meta.dirname}/mod.ts';
    const lab = await createLab();
    const machine = await lab.addMachine();
    await machine.sh('sleep 1000 >/dev/null 2>&1 & mkdir -p /run/netns; ip netns add x');
    const [sleeper] = await machine.processes(/^sleep 1000/);
    console.log(JSON.stringify({ id: lab.id, pids: [machine.initPid, sleeper] }));
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString()));
  });
  const { id, pids } = JSON.parse(line) as { id: string; pids: number[] };
  assert.deepEqual(pids.map(isProcessAlive), [true, true]);
  child.kill('SIGKILL');
  await waitFor('the lab to disappear', async () => (await traces(id)).length === 0);
  await waitFor('its processes to end', async () => !pids.some(isProcessAlive));
});
