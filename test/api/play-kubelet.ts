import { formatTime, systemClock } from '#base/clock.ts';
import type { Pod } from '#schema/types.ts';
import type { TestApi } from './server.ts';

/** Well below the 40 s after which a silent node is not Ready any more. */
const heartbeatMs = 10_000;

/** A node that is Ready and runs whatever is bound to it, without any container. */
export interface PlayedKubelet {
  stop(): Promise<void>;
}

/**
 * Makes the nodes and plays their kubelets by looking at all pods again and again: bound ones run
 * and are ready (image `ends`: succeed; `broken`: wait), deleted ones go. The nodes stay Ready.
 */
export async function playKubelet(api: TestApi, nodes: readonly string[]): Promise<PlayedKubelet> {
  const stop = new AbortController();
  const readyNow = (): object[] => {
    const now = formatTime(systemClock.now());
    return [{ type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now }];
  };
  for (const name of nodes) {
    const metadata = { name, labels: { 'kubernetes.io/hostname': name } };
    const amounts = { cpu: '64', memory: '16Gi', pods: '110' };
    const status = { capacity: amounts, allocatable: amounts, conditions: readyNow() };
    const node = { apiVersion: 'v1', kind: 'Node', metadata, status };
    await api.request('POST', '/api/v1/nodes', { body: node });
  }
  let next = 1;
  const act = async (pod: Pod): Promise<void> => {
    const { name, namespace, deletionTimestamp } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const image = pod.spec?.containers[0]?.image ?? '';
    if (deletionTimestamp !== undefined) {
      await api.request('DELETE', `${path}?gracePeriodSeconds=0`);
    } else if (pod.status?.phase === 'Pending' && image !== 'broken') {
      const podIP = `10.42.0.${next++}`;
      const lastTransitionTime = formatTime(systemClock.now());
      const hasEnded = image === 'ends';
      const status = {
        phase: hasEnded ? 'Succeeded' : 'Running',
        podIP,
        podIPs: [{ ip: podIP }],
        conditions: [{ type: 'Ready', status: hasEnded ? 'False' : 'True', lastTransitionTime }],
      };
      const headers = { 'Content-Type': 'application/merge-patch+json' };
      await api.request('PATCH', `${path}/status`, { body: { status }, headers });
    }
  };
  let beatMs = systemClock.monotonicMs();
  const beat = async (): Promise<void> => {
    if (systemClock.monotonicMs() - beatMs < heartbeatMs) return;
    beatMs = systemClock.monotonicMs();
    const body = { status: { conditions: readyNow() } };
    const headers = { 'Content-Type': 'application/strategic-merge-patch+json' };
    for (const name of nodes) {
      await api.request('PATCH', `/api/v1/nodes/${name}/status`, { body, headers });
    }
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await beat();
      const answer = await api.request('GET', '/api/v1/pods');
      const { items } = answer.json as { items: Pod[] };
      await Promise.all(items.filter(({ spec }) => (spec?.nodeName ?? '') !== '').map(act));
      await systemClock.sleep(20, stop.signal).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}
