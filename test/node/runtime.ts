import { mkdir, writeFile } from 'node:fs/promises';
import { defaultPauseImage, importImages, startContainerd } from '#agent/containerd/mod.ts';
import type { Containerd } from '#agent/containerd/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { detectCgroups } from '#host/cgroup-layout.ts';
import type { CgroupLayout } from '#host/cgroup-layout.ts';
import { createCgroupTree } from '#host/cgroups.ts';
import type { CgroupTree } from '#host/cgroups.ts';
import { createCriClient } from '#kubelet/cri/mod.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';

/** What pods need of a lab machine, without the agent that puts it together. */
export interface Runtime {
  readonly containerd: Containerd;
  readonly cri: CriClient;
  readonly layout: CgroupLayout;
  readonly tree: CgroupTree;
}

function bridgeNetwork(ipMasq: boolean): object {
  return {
    cniVersion: '1.0.0',
    name: 'cbr0',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: '10.42.0.0/24' }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Starts containerd with a bridge for pods and imports the images that the test put there. */
export async function startRuntime(options: {
  ipMasq: boolean;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<Runtime> {
  const { ipMasq, clock, log, signal } = options;
  const path = process.env['PATH'] ?? '';
  await mkdir('/etc/cni/net.d', { recursive: true });
  await writeFile('/etc/cni/net.d/10-test.conflist', JSON.stringify(bridgeNetwork(ipMasq)));
  const containerd = await startContainerd({
    dataDir: '/var/lib/rancher/k3s',
    runDir: '/run/k3s',
    privateRegistry: '/etc/rancher/k3s/registries.yaml',
    path,
    environment: { PATH: path },
    cniConfDir: '/etc/cni/net.d',
    pauseImage: defaultPauseImage,
    snapshotter: 'overlayfs',
    clock,
    log,
    signal,
  });
  const cri = createCriClient({ socketPath: containerd.socket, clock, log });
  await importImages({
    directory: containerd.paths.images,
    store: containerd.images,
    pullImage: (image) => cri.images.pullImage({ image }, {}).then(() => undefined),
    path,
    clock,
    log,
    signal,
  });
  const layout = await detectCgroups();
  return { containerd, cri, layout, tree: createCgroupTree({ layout, clock, log }) };
}
