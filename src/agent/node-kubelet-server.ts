import { readFile } from 'node:fs/promises';

import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import { detectCgroups } from '#host/cgroup-layout.ts';
import { createCgroupTree } from '#host/cgroups.ts';
import { kubeletApiSettings } from '#kubelet/configuration/mod.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import { createPodCgroups, readMachineInfo, readMachineUsage } from '#kubelet/machine/mod.ts';
import type { Kubelet } from '#kubelet/mod.ts';
import { createKubeletServer, createUsageReader } from '#kubelet/server/mod.ts';
import { createLocalDirectories } from '#kubelet/volumes/mod.ts';
import type { KubeletServer } from '#kubelet/server/mod.ts';
import type { AgentPaths } from './paths.ts';
import type { AgentSettings } from './settings.ts';

/** Opens the kubelet's API with the certificates that joining the cluster brought. */
export async function startKubeletServer(options: {
  settings: AgentSettings;
  kubelet: Kubelet;
  client: Client;
  cri: CriClient;
  nodeName: string;
  paths: AgentPaths;
  imagePath: string;
  hasIpv6: boolean;
  /** The kubelet's settings, for /configz. */
  configuration: () => object;
  clock: Clock;
  log: Logger;
}): Promise<KubeletServer> {
  const { kubelet, client, cri, nodeName, paths, clock, log } = options;
  const { address, healthzPort, ...api } = kubeletApiSettings(options.settings.kubelet);
  const [certificate, key, clientAuthority] = await Promise.all(
    [paths.file('serving-kubelet.crt'), paths.file('serving-kubelet.key'), paths.clientCa].map(
      (path) => readFile(path, 'utf8'),
    ),
  );
  const machine = await readMachineInfo();
  const layout = await detectCgroups();
  const tree = createCgroupTree({ layout, clock, log });
  const podsMilliCpu = machine.cpuCount * 1000;
  const podsMemoryBytes = machine.memoryBytes;
  const server = createKubeletServer({
    kubelet,
    runtime: cri.runtime,
    client,
    nodeName,
    tls: {
      certificate: certificate ?? '',
      key: key ?? '',
      clientAuthority: clientAuthority ?? '',
    },
    ...api,
    address: address ?? (options.hasIpv6 ? '::' : '0.0.0.0'),
    healthzPort: healthzPort === 0 ? undefined : healthzPort,
    usage: createUsageReader({
      layout,
      cgroups: createPodCgroups({ tree, podsMilliCpu, podsMemoryBytes }),
      machine,
      machineUsage: () =>
        readMachineUsage({ nodePath: '/var/lib/kubelet', imagePath: options.imagePath }),
      files: { rootDirectory: '/var/lib/kubelet', podLogs: '/var/log/pods', clock },
    }),
    configuration: options.configuration,
    logDirectory: '/var/log',
    checkpointDirectory: '/var/lib/kubelet/checkpoints',
    localDirectories: createLocalDirectories(),
    clock,
    log,
  });
  await server.listen();
  return server;
}
