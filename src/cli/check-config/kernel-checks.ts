import { access, readFile } from 'node:fs/promises';
import os from 'node:os';

import { detectCgroups, missingControllers } from '#host/cgroup-layout.ts';
import { ensureModule } from '#host/kernel-modules.ts';
import { listMounts, mountOf } from '#host/mounts.ts';
import { limited, missing, ok } from './check.ts';
import type { Check } from './check.ts';

const namespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
/** Bit of CAP_SYS_RESOURCE in CapEff. */
const sysResourceBit = 24n;

export const kernelChecks: readonly Check[] = [
  {
    group: 'kernel',
    name: 'version',
    run: () => {
      const [major = 0, minor = 0] = os.release().split('.').map(Number);
      return Promise.resolve(
        major > 4 || (major === 4 && minor >= 19)
          ? ok(os.release())
          : limited(os.release(), 'k3ts is tried on 4.19 and newer'),
      );
    },
  },
  {
    group: 'kernel',
    name: 'namespaces',
    async run() {
      const lacking: string[] = [];
      for (const name of namespaces) {
        const isThere = await access(`/proc/self/ns/${name}`).then(
          () => true,
          () => false,
        );
        if (!isThere) lacking.push(name);
      }
      if (lacking.length === 0) return ok(namespaces.join(' '));
      return missing(`without ${lacking.join(' ')}`, 'containers cannot be kept apart');
    },
  },
  {
    group: 'kernel',
    name: 'cgroups',
    async run() {
      const layout = await detectCgroups();
      const kind = `version ${layout.version}${layout.isHybrid ? ' (hybrid)' : ''}`;
      const lacking = missingControllers(layout);
      if (lacking.includes('pids') || lacking.includes('memory') || lacking.includes('cpu')) {
        return missing(
          `${kind}, without ${lacking.join(' ')}`,
          'pods cannot be limited: boot with cgroup_enable=memory cgroup_memory=1 or a newer kernel',
        );
      }
      if (lacking.length > 0) {
        return limited(`${kind}, without ${lacking.join(' ')}`, 'CPUs cannot be pinned');
      }
      return ok(kind);
    },
  },
  {
    group: 'kernel',
    name: 'overlayfs',
    async run() {
      await ensureModule('overlay');
      const known = await readFile('/proc/filesystems', 'utf8');
      if (/\toverlay\n/.test(known)) return ok('available');
      return limited('missing', 'images are copied instead (--snapshotter native): slow and large');
    },
  },
  {
    group: 'kernel',
    name: 'root mount',
    async run() {
      const mount = mountOf(await listMounts(), '/');
      const isShared = mount?.propagation.some((entry) => entry.startsWith('shared')) === true;
      if (isShared) return ok('shared');
      return ok('private; k3ts makes /var/lib/kubelet shared by itself');
    },
  },
  {
    group: 'kernel',
    name: 'CAP_SYS_RESOURCE',
    async run() {
      const status = await readFile('/proc/self/status', 'utf8');
      const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
      if (((effective >> sysResourceBit) & 1n) === 1n) return ok('available');
      return limited(
        'missing',
        'out-of-memory scores of important pods cannot be lowered; k3ts copes with it',
      );
    },
  },
  {
    group: 'kernel',
    name: 'BPF type information',
    run: () =>
      access('/sys/kernel/btf/vmlinux').then(
        () => ok('available'),
        () => limited('missing', 'the eBPF datapath and its tools need a kernel with BTF'),
      ),
  },
];
