import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/mod.ts';
import { detectCgroups } from '#host/cgroup-layout.ts';
import { readCgroupStats } from '#host/cgroup-stats.ts';
import { createCgroupTree } from '#host/cgroups.ts';
import { createCpuManager, parseCpuSet, readCpuTopology } from '#kubelet/cpus/mod.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import { startCsi } from '#kubelet/csi/mod.ts';
import {
  createHostFiles,
  createPodCgroups,
  enforceReserved,
  enforcesPods,
  machineProblem,
  podsShare,
  readMachineInfo,
  readMachineUsage,
} from '#kubelet/machine/mod.ts';
import { kubeletSettings } from '#kubelet/configuration/mod.ts';
import { createNodeCredentials } from '#kubelet/images/mod.ts';
import { createKubelet, defaultKubeletConfig, hugePageSizes } from '#kubelet/mod.ts';
import type { Kubelet } from '#kubelet/mod.ts';
import { createMemoryManager } from '#kubelet/memory/mod.ts';
import { createVolumeManager, prepareVolumeRoot } from '#kubelet/volumes/mod.ts';
import type { ImageSource } from '#kubelet/volumes/mod.ts';
import type { ClusterConfig } from './join/join-cluster.ts';
import { keepFromOomKiller } from './oom-score.ts';
import { numaOf, reservedOf } from './numa.ts';
import type { AgentPaths } from './paths.ts';
import type { AgentSettings } from './settings.ts';

const rootDir = '/var/lib/kubelet';
const defaultEvictionHard = { 'imagefs.available': '5%', 'nodefs.available': '5%' };

/** Builds the kubelet of this node out of settings, cluster configuration and machine. */
export async function createNodeKubelet(options: {
  settings: AgentSettings;
  nodeName: string;
  config: ClusterConfig;
  paths: AgentPaths;
  client: Client;
  cri: CriClient;
  imagePath: string;
  imageSource: ImageSource | undefined;
  resolvConf: string;
  version: string;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}): Promise<Kubelet> {
  const { settings, nodeName, config, paths, client, cri, clock, random, log } = options;
  await mkdir(paths.staticPods, { recursive: true, mode: 0o750 });
  await prepareVolumeRoot(rootDir);
  const csi = await startCsi({ ...options, rootDirectory: rootDir });
  const machine = await readMachineInfo();
  const given = kubeletSettings(settings.kubelet);
  if (settings.kubelet.ignored.length > 0) {
    log.info('kubelet arguments without effect', { names: settings.kubelet.ignored.join(', ') });
  }
  const layout = await detectCgroups();
  const limits = { ...defaultKubeletConfig, ...given };
  // k3s' own thresholds: an edge machine's disk may be small.
  const evictionHard = given.evictionHard ?? defaultEvictionHard;
  const problem = await machineProblem({
    machine,
    cgroupVersion: layout.version,
    config: limits,
    isGroupOomKillAsked: given.isSingleProcessOomKill === false,
  });
  if (problem !== undefined) throw new K3tsError('InvalidKubeletConfiguration', problem);
  await keepFromOomKiller({
    value: limits.oomScoreAdj,
    isGiven: given.oomScoreAdj !== undefined,
    log,
  });
  const usage = await readMachineUsage({ nodePath: rootDir, imagePath: options.imagePath });
  const share = podsShare(machine, limits, usage.maxPid);
  const numa = await numaOf(machine);
  const cpus = await createCpuManager({
    policy: limits.cpuManagerPolicy,
    policyOptions: limits.cpuManagerPolicyOptions,
    reservedMilliCpu: machine.cpuCount * 1000 - share.podsMilliCpu,
    reservedCpus: parseCpuSet(limits.reservedCpus),
    topology: await readCpuTopology(),
    nodes: numa.nodes,
    hasAlphaOptions: limits.hasCpuAlphaOptions,
    topologyPolicy: limits.topologyManagerPolicy,
    rootDir,
    log,
  });
  const memory = await createMemoryManager({
    policy: limits.memoryManagerPolicy,
    ...numa,
    reserved: reservedOf({ limits, machine, numa: numa.numaNodes, evictionHard }),
    rootDir,
    log,
  });
  const tree = createCgroupTree({ layout, clock, log });
  const cgroups = createPodCgroups({
    tree,
    ...share,
    ...limits,
    isEnforced: enforcesPods(limits),
    hasExclusiveCpus: (pod) => cpus.hasExclusive(pod),
    hugePageSizes: hugePageSizes(machine),
  });
  return createKubelet({
    client,
    cri,
    nodeName,
    apiHost: new URL(settings.serverUrl).host,
    rootDir,
    clock,
    random,
    log,
    machine,
    machineUsage: () => readMachineUsage({ nodePath: rootDir, imagePath: options.imagePath }),
    volumes: (parts) =>
      createVolumeManager({
        ...parts,
        rootDirectory: rootDir,
        client,
        nodeMemoryBytes: machine.memoryBytes,
        csi: csi.volumes,
        imageSource: options.imageSource,
        clock,
        random,
        log,
      }),
    cgroups,
    cpus,
    memory,
    numaNodes: numa.nodes,
    enforceReserved: () => enforceReserved(tree, limits),
    devicePlugins: {
      directory: join(rootDir, 'device-plugins'),
      podResourcesSocket: join(rootDir, 'pod-resources/kubelet.sock'),
    },
    nodeCredentials: await createNodeCredentials({
      rootDirectory: rootDir,
      provider: settings.imageCredentialProvider,
      client,
      clock,
      log,
    }),
    podsUsage: () => readCgroupStats(layout, '/kubepods'),
    podUsage: (pod) => readCgroupStats(layout, cgroups.parentOf(pod)),
    hostFiles: createHostFiles({ rootDirectory: rootDir, resolvConf: options.resolvConf }),
    hostPaths: { podLogs: '/var/log/pods', containerLogs: '/var/log/containers' },
    config: {
      ...defaultKubeletConfig,
      clusterDns: config.ClusterDNSs,
      clusterDomain: config.ClusterDomain,
      ...given,
      evictionHard,
      nodeLabels: { ...nodeLabels(settings), ...settings.kubelet.nodeLabels },
      nodeTaints: [...settings.nodeTaints.map(parseTaint), ...(given.nodeTaints ?? [])],
      nodeAnnotations: {
        'k3s.io/hostname': nodeName,
        'k3s.io/internal-ip': settings.nodeIps.join(','),
        ...(settings.nodeExternalIps.length === 0
          ? {}
          : { 'k3s.io/external-ip': settings.nodeExternalIps.join(',') }),
      },
      providerId: given.providerId ?? `k3s://${nodeName}`,
      nodeIps: settings.nodeIps,
      externalIps: settings.nodeExternalIps,
      hostname: nodeName,
      kubeletVersion: options.version,
      staticPodPath: given.staticPodPath ?? paths.staticPods,
    },
  });
}

function nodeLabels(settings: AgentSettings): Record<string, string> {
  const labels: Record<string, string> = {
    'node.kubernetes.io/instance-type': 'k3s',
    'beta.kubernetes.io/instance-type': 'k3s',
  };
  for (const label of settings.nodeLabels) {
    const equals = label.indexOf('=');
    labels[label.slice(0, equals)] = label.slice(equals + 1);
  }
  return labels;
}

/** `key=value:Effect` or `key:Effect`. */
function parseTaint(text: string): { key: string; value?: string; effect: string } {
  const [pair = '', effect = ''] = text.split(':');
  const [key = '', value] = pair.split('=');
  return value === undefined ? { key, effect } : { key, value, effect };
}
