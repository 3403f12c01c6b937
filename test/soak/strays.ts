import type { V1Pod } from '@kubernetes/client-node';
import { createCriClient, type CriClient } from '#kubelet/cri/mod.ts';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { runCommand } from '#host/process.ts';
import { readMachineState, shorten } from './machine-state.ts';

const socketPath = '/run/k3s/containerd/containerd.sock';
const uidInText = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/**
 * What does not belong to the given pods, which are all there are: sandboxes, containers,
 * directories, cgroups, addresses, interfaces. A pod that has ended may keep its containers and its
 * sandbox, but no network.
 */
export async function findStrays(pods: readonly V1Pod[]): Promise<string[]> {
  const cri = createCriClient({ socketPath, clock: systemClock, log: silentLogger });
  try {
    return [...(await runtimeStrays(cri, pods)), ...(await machineStrays(pods))];
  } finally {
    cri.close();
  }
}

const hasEnded = ({ status }: V1Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

async function runtimeStrays(cri: CriClient, pods: readonly V1Pod[]): Promise<string[]> {
  const found: string[] = [];
  const byUid = new Map(pods.map((pod) => [pod.metadata?.uid ?? '', pod]));
  const ready = new Map<string, number>();
  for (const { id, metadata, state } of await cri.runtime.listPodSandbox()) {
    const uid = metadata?.uid ?? '';
    if (!byUid.has(uid)) found.push(`sandbox of no pod: ${metadata?.name} ${id} ${state}`);
    else if (state === 'SANDBOX_READY') ready.set(uid, (ready.get(uid) ?? 0) + 1);
  }
  for (const [uid, pod] of byUid) {
    const count = ready.get(uid) ?? 0;
    const name = pod.metadata?.name;
    if (count !== (hasEnded(pod) ? 0 : 1)) found.push(`${name} has ${count} ready sandboxes`);
  }
  const running = new Map<string, number>();
  for (const { labels, state, id } of await cri.runtime.listContainers()) {
    const uid = labels['io.kubernetes.pod.uid'] ?? '';
    const name = `${labels['io.kubernetes.pod.name']}/${labels['io.kubernetes.container.name']}`;
    if (!byUid.has(uid)) found.push(`container of no pod: ${name} ${id} ${state}`);
    if (state !== 'CONTAINER_RUNNING') continue;
    const key = `${name} ${uid}`;
    running.set(key, (running.get(key) ?? 0) + 1);
  }
  for (const [key, count] of running) {
    if (count > 1) found.push(`${key} runs ${count} times`);
  }
  return found;
}

async function machineStrays(pods: readonly V1Pod[]): Promise<string[]> {
  const found: string[] = [];
  const state = await readMachineState();
  const uids = new Set(pods.map(({ metadata }) => metadata?.uid ?? ''));
  for (const kind of ['pod directories', 'log directories', 'cgroups', 'mounts']) {
    const items = (state[kind] ?? []).filter((item) => {
      const uid = uidInText.exec(item)?.[0];
      return uid !== undefined && !uids.has(uid) && !item.includes('/netns/');
    });
    if (items.length > 0) found.push(`${kind} of no pod: ${shorten(items)}`);
  }
  const live = pods.filter((pod) => !hasEnded(pod));
  const addresses = live.map(({ status }) => status?.podIP ?? '');
  const strange = (state['addresses'] ?? []).filter((address) => !addresses.includes(address));
  if (strange.length > 0) found.push(`addresses of no pod: ${shorten(strange)}`);
  const veths = (state['links'] ?? []).filter((name) => name.startsWith('veth'));
  const shims = await countShims();
  const counted = { netns: (state['netns'] ?? []).length, veth: veths.length, shims };
  for (const [what, count] of Object.entries(counted)) {
    if (count !== live.length) found.push(`${count} ${what} of ${live.length} pods`);
  }
  return found;
}

async function countShims(): Promise<number> {
  const args = ['-c', '-f', 'containerd-shim-runc-v2 -namespace k8s.io'];
  const { stdout } = await runCommand({
    command: 'pgrep',
    args,
    timeoutMs: 10_000,
    okExitCodes: [0, 1],
  });
  return Number(stdout);
}
