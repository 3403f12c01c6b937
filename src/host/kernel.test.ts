import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/**
 * Mounts, cgroups and rule sets on the real kernel. Each part runs in a child process with mount,
 * network and cgroup namespaces of its own, so that nothing of the machine changes.
 */
const isRoot = process.getuid?.() === 0;
const canUnshare = isRoot && spawnSync('unshare', ['-m', '-n', 'true']).status === 0;
const skip = canUnshare ? false : 'needs root and unshare(1)';

function inNamespaces(body: string): void {
  const prelude = `
    import assert from 'node:assert/strict';
    import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
    import { join } from 'node:path';
    import { systemClock as clock } from '#base/clock.ts';
    import { silentLogger as log } from '#base/log.ts';
    import * as mounts from '${import.meta.dirname}/mounts.ts';
    mounts.mountTmpfs('/mnt', { sizeBytes: 1 << 20, mode: 0o700 });
    const directory = '/mnt';
  `;
  const result = spawnSync(
    'unshare',
    [
      '--mount',
      '--net',
      '--propagation',
      'private',
      process.execPath,
      '--input-type=module-typescript',
      '-e',
      prelude + body,
    ],
    { cwd: import.meta.dirname, encoding: 'utf8', timeout: 110_000 },
  );
  assert.equal(result.status, 0, result.stderr);
}

test('mounts tmpfs, binds read-only, shares and cleans a tree', { skip }, () => {
  inNamespaces(`
    await mkdir(directory + '/a/b', { recursive: true });
    await mkdir(directory + '/c');
    mounts.mountTmpfs(directory + '/a/b', { sizeBytes: 65536, mode: 0o1777 });
    await writeFile(directory + '/a/b/file', 'x');
    mounts.bindMount(directory + '/a', directory + '/c', { isReadOnly: true, isRecursive: true });
    assert.equal(await readFile(directory + '/c/b/file', 'utf8'), 'x');
    await assert.rejects(writeFile(directory + '/c/new', 'x'), { code: 'EROFS' });
    assert.equal(await mounts.isMountPoint(directory + '/c'), true);
    assert.equal(await mounts.isMountPoint(directory + '/nowhere'), false);
    assert.equal(await mounts.ensureShared(directory + '/a'), true);
    assert.equal(await mounts.ensureShared(directory + '/a'), false);
    await mkdir(directory + '/a/late');
    mounts.mountTmpfs(directory + '/a/late');
    const gone = await mounts.unmountTree(directory);
    assert.ok(gone.length >= 5, gone.join());
    assert.equal((await mounts.listMounts()).some((m) => m.path.startsWith('/mnt')), false);
    assert.throws(() => mounts.bindMount('/nowhere', '/mnt'), { code: 'ENOENT' });
  `);
});

test('creates, limits, reads and removes a cgroup with a process in it', { skip }, () => {
  inNamespaces(`
    import { spawn } from 'node:child_process';
    const { detectCgroups } = await import('${import.meta.dirname}/cgroup-layout.ts');
    const { createCgroupTree } = await import('${import.meta.dirname}/cgroups.ts');
    const { readCgroupStats } = await import('${import.meta.dirname}/cgroup-stats.ts');
    const layout = await detectCgroups();
    const tree = createCgroupTree({ layout, clock, log });
    const root = '/k3ts-test-' + process.pid;
    try {
      await tree.create(root + '/burstable/pod1', {
        cpuShares: 512, memoryLimitBytes: 64 << 20, pidsLimit: 50,
      });
      await tree.update(root + '/burstable/pod1', { memoryLimitBytes: 128 << 20 });
      const child = spawn('sleep', ['60']);
      await tree.enter(root + '/burstable/pod1', child.pid);
      assert.deepEqual(await tree.processes(root), [child.pid]);
      assert.deepEqual(await tree.children(root), ['burstable']);
      const stats = await readCgroupStats(layout, root + '/burstable/pod1');
      assert.equal(stats.memoryLimitBytes, 128 << 20);
      assert.equal(stats.processCount, 1);
      const gone = new Promise((resolve) => child.on('exit', resolve));
      await tree.remove(root);
      await gone;
      assert.equal(await tree.exists(root), false);
      assert.equal(await readCgroupStats(layout, root), undefined);
    } finally {
      await tree.remove(root);
    }
  `);
});

test('hands version 2 controllers down, moving processes that are in the way', { skip }, () => {
  inNamespaces(`
    import { spawn } from 'node:child_process';
    const { createCgroupTree } = await import('${import.meta.dirname}/cgroups.ts');
    const unified = (await mounts.listMounts()).find((mount) => mount.type === 'cgroup2')?.path;
    const text = unified === undefined ? '' : await readFile(unified + '/cgroup.controllers', 'utf8');
    const names = text.trim().split(' ').filter(Boolean);
    if (names.length === 0) process.exit(0);
    const controllers = new Map(names.map((name) => [name, unified]));
    const layout = { version: 2, isHybrid: false, controllers, hierarchies: [unified] };
    const tree = createCgroupTree({ layout, clock, log });
    const root = '/k3ts-test-' + process.pid;
    const shared = unified + '/cgroup.subtree_control';
    const before = await readFile(shared, 'utf8');
    try {
      await tree.create(root + '/a');
      const child = spawn('sleep', ['60']);
      await tree.enter(root + '/a', child.pid);
      await tree.create(root + '/a/b');
      const enabled = await readFile(unified + root + '/a/cgroup.subtree_control', 'utf8');
      assert.deepEqual(enabled.trim().split(' ').sort(), names.sort());
      const aside = await readFile(unified + root + '/a/init/cgroup.procs', 'utf8');
      assert.equal(aside.trim(), String(child.pid));
    } finally {
      await tree.remove(root);
      // The one thing that is not below our own cgroup is put back.
      const added = names.filter((name) => !before.includes(name));
      for (const name of added) await writeFile(shared, '-' + name);
    }
  `);
});

test('applies and lists iptables and nft rules of a namespace', { skip }, () => {
  inNamespaces(`
    const { openIptables } = await import('${import.meta.dirname}/iptables.ts');
    const { applyNft, listNft } = await import('${import.meta.dirname}/nft.ts');
    const tables = await openIptables({ family: 4 });
    await tables.restore('*nat\\n:K3TS-TEST - [0:0]\\n-A K3TS-TEST -j RETURN\\nCOMMIT\\n');
    assert.match(await tables.save('nat'), /-A K3TS-TEST -j RETURN/);
    assert.equal(await tables.check(['-t', 'nat', '-C', 'K3TS-TEST', '-j', 'RETURN']), true);
    assert.equal(await tables.check(['-t', 'nat', '-C', 'K3TS-TEST', '-j', 'ACCEPT']), false);
    const wrong = tables.restore('*nat\\n-A NOWHERE -j RETURN\\nCOMMIT\\n');
    await assert.rejects(wrong, { code: 'CommandFailed' });
    await applyNft('table inet k3ts { chain c { }; }');
    const chains = (await listNft(['table', 'inet', 'k3ts'])).filter((entry) => 'chain' in entry);
    assert.equal(chains.length, 1);
  `);
});
