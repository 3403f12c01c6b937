import { formatTime, systemClock } from '#base/clock.ts';
import type { Pod } from '#schema/types.ts';
import type { TestApi } from './server.ts';

export const podsPath = '/api/v1/namespaces/default/pods';

/** Nodes and pods of one test: pods go to the nodes of their own group only. */
export interface SchedulerCluster {
  addNode(name: string, options?: NodeOptions): Promise<void>;
  addPod(name: string, spec?: Record<string, unknown>, labels?: Labels): Promise<void>;
  pod(name: string): Promise<Pod>;
  /** The node that the pod gets; fails when it gets none. */
  nodeOf(name: string): Promise<string>;
  /** The message of the condition that says why the pod has no node. */
  refusalOf(name: string): Promise<string>;
}

type Labels = Record<string, string>;

interface NodeOptions {
  readonly labels?: Labels;
  readonly cpu?: string;
  readonly more?: Record<string, string>;
}

/** A ready node object is all that the scheduler needs; `group` keeps tests apart. */
export function schedulerCluster(api: TestApi, group: string): SchedulerCluster {
  const send = async (method: string, path: string, body: unknown): Promise<void> => {
    const answer = await api.request(method, path, { body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
  };
  const pod = async (name: string): Promise<Pod> =>
    (await api.request('GET', `${podsPath}/${name}`)).json as Pod;
  return {
    async addNode(name, { labels = {}, cpu = '4', more = {} } = {}) {
      const amounts = { cpu, memory: '8Gi', pods: '20', ...more };
      const node = {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name, group, ...labels } },
        status: {
          capacity: amounts,
          allocatable: amounts,
          conditions: [
            {
              type: 'Ready',
              status: 'True',
              reason: 'KubeletReady',
              lastHeartbeatTime: formatTime(systemClock.now()),
            },
          ],
        },
      };
      await send('POST', '/api/v1/nodes', node);
      await api.until(`/api/v1/nodes/${name}`, (answer) => {
        const { spec } = answer.json as { spec: { taints?: unknown[] } };
        return (spec.taints ?? []).length === 0;
      });
    },
    async addPod(name, spec = {}, labels = {}) {
      await send('POST', podsPath, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels },
        spec: {
          nodeSelector: { group },
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '1' } } }],
          ...spec,
        },
      });
    },
    pod,
    async nodeOf(name) {
      await api.until(`${podsPath}/${name}`, (answer) => {
        return ((answer.json as Pod).spec?.nodeName ?? '') !== '';
      });
      return (await pod(name)).spec?.nodeName ?? '';
    },
    async refusalOf(name) {
      const find = (one: Pod) =>
        one.status?.conditions?.find(({ type, status }) => {
          return type === 'PodScheduled' && status === 'False';
        });
      await api.until(`${podsPath}/${name}`, (answer) => find(answer.json as Pod) !== undefined);
      return find(await pod(name))?.message ?? '';
    },
  };
}
