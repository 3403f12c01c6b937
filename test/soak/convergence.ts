import type { V1Pod } from '@kubernetes/client-node';
import { runCommand } from '#host/process.ts';
import type { Desired } from './desired.ts';
import { namespace, type PodKind } from './manifests.ts';
import type { SoakApi } from './soak-api.ts';

/** What the cluster shows, and in what it differs from what is wanted. */
export interface Comparison {
  readonly pods: readonly V1Pod[];
  readonly differences: readonly string[];
}

/** Compares the API's objects with what is wanted. */
export async function compareWithDesired(api: SoakApi, desired: Desired): Promise<Comparison> {
  const { items: pods } = await api.core.listNamespacedPod({ namespace });
  const differences: string[] = [];
  const single = new Map<string, V1Pod>();
  const owned = new Map<string, number>();
  for (const pod of pods) {
    const { name = '', labels = {}, deletionTimestamp } = pod.metadata ?? {};
    if (deletionTimestamp !== undefined) differences.push(`${name} is not gone`);
    else if (labels['soak'] === 'pod') single.set(name, pod);
    else if (isReady(pod))
      owned.set(labels['app'] ?? '', (owned.get(labels['app'] ?? '') ?? 0) + 1);
    else differences.push(`${name} is ${stateOf(pod)}`);
  }
  for (const [name, { kind }] of desired.pods) {
    const pod = single.get(name);
    if (pod === undefined) differences.push(`${name} is missing`);
    else if (!isAsWanted(pod, kind)) differences.push(`${name} is ${stateOf(pod)}`);
    single.delete(name);
  }
  for (const name of single.keys()) differences.push(`${name} was deleted`);
  const sizes = new Map([
    ...[...desired.deployments].map(([name, { replicas }]) => [name, replicas] as const),
    ...desired.statefulSets,
  ]);
  for (const [name, size] of sizes) {
    const count = owned.get(name) ?? 0;
    if (count !== size) differences.push(`${name} has ${count} ready pods of ${size}`);
  }
  differences.push(...(await deploymentDifferences(api, desired)));
  return { pods, differences };
}

async function deploymentDifferences(api: SoakApi, desired: Desired): Promise<string[]> {
  const { items } = await api.apps.listNamespacedDeployment({ namespace });
  const found: string[] = [];
  for (const { metadata, spec, status } of items) {
    const wanted = desired.deployments.get(metadata?.name ?? '');
    const isSettled =
      status?.observedGeneration === metadata?.generation &&
      spec?.template.metadata?.annotations?.['version'] === `${wanted?.version}` &&
      status?.replicas === wanted?.replicas &&
      status?.updatedReplicas === wanted?.replicas &&
      status?.availableReplicas === wanted?.replicas;
    if (!isSettled) found.push(`${metadata?.name} shows ${JSON.stringify(status)}`);
  }
  return found;
}

/** Services whose address is not answered by a pod behind them. */
export async function silentServices(
  api: SoakApi,
  desired: Desired,
  pods: readonly V1Pod[],
): Promise<string[]> {
  const found: string[] = [];
  const { items } = await api.core.listNamespacedService({ namespace });
  const wanted = new Set([...desired.deployments.keys(), ...desired.services]);
  for (const { metadata, spec } of items) {
    const { name = '' } = metadata ?? {};
    if (!wanted.delete(name)) found.push(`service ${name} was deleted`);
    const app = spec?.selector?.['app'];
    const behind = pods.filter((pod) => pod.metadata?.labels?.['app'] === app);
    for (let time = 0; time < 3; time += 1) {
      const answer = await ask(`http://${spec?.clusterIP}/cgi-bin/index.cgi`);
      if (behind.some((pod) => pod.metadata?.name === answer)) continue;
      found.push(`service ${name} answers "${answer}"`);
      break;
    }
  }
  for (const name of wanted) found.push(`service ${name} is missing`);
  return found;
}

async function ask(url: string): Promise<string> {
  const args = ['-s', '-m', '2', url];
  const okExitCodes = [0, 6, 7, 28, 52, 56];
  return (await runCommand({ command: 'curl', args, timeoutMs: 5000, okExitCodes })).stdout.trim();
}

function isReady({ status }: V1Pod): boolean {
  return (
    status?.phase === 'Running' &&
    status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
  );
}

function isAsWanted(pod: V1Pod, kind: PodKind): boolean {
  const { phase, containerStatuses = [] } = pod.status ?? {};
  // A killed shim fails a pod that is not to be restarted.
  if (kind === 'once') return phase === 'Succeeded' || phase === 'Failed';
  if (kind === 'crash') return phase === 'Running' && (containerStatuses[0]?.restartCount ?? 0) > 0;
  return isReady(pod);
}

function stateOf({ status }: V1Pod): string {
  const waiting = status?.containerStatuses?.map((one) => one.state?.waiting?.reason ?? '-');
  return [status?.phase, status?.reason, status?.message, ...(waiting ?? [])]
    .filter(Boolean)
    .join(' ');
}
