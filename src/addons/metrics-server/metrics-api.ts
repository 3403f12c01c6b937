import { ApiStatusError } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import { parseFieldSelector, parseLabelSelector } from '#schema/selectors/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { apiVersion, metricsTable, nodeMetrics, podMetrics } from './metrics-objects.ts';
import type { NodeMetrics, PodMetrics } from './metrics-objects.ts';
import type { UsageStore } from './usage-store.ts';

export const metricsGroup = { group: 'metrics.k8s.io', version: 'v1beta1' } as const;

/** The cluster's objects as the API server has them in memory. */
export interface ClusterReader {
  get<T extends KubeObject>(
    resource: GroupVersionResource,
    namespace: string,
    name: string,
  ): T | undefined;
  list<T extends KubeObject>(resource: GroupVersionResource, namespace?: string): readonly T[];
}

/** What is asked of the metrics API, authorized already. */
export interface MetricsRequest {
  readonly context: {
    readonly info: {
      readonly isResourceRequest: boolean;
      readonly verb: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    };
    readonly query: URLSearchParams;
  };
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type MetricsAnswer = { readonly status: number; readonly body: object } | undefined;

/** A pod this young may just not have been looked at yet. */
const newMs = 60_000;

/** Discovery of the group version. */
export const metricsResources = [
  {
    resource: 'nodes',
    responseKind: { ...metricsGroup, kind: 'NodeMetrics' },
    scope: 'Cluster',
    singularResource: '',
    verbs: ['get', 'list'],
  },
  {
    resource: 'pods',
    responseKind: { ...metricsGroup, kind: 'PodMetrics' },
    scope: 'Namespaced',
    singularResource: '',
    verbs: ['get', 'list'],
  },
] as const;

interface Kind {
  readonly kind: 'NodeMetrics' | 'PodMetrics';
  get(namespace: string, name: string): NodeMetrics | PodMetrics;
  list(namespace: string, query: URLSearchParams): (NodeMetrics | PodMetrics)[];
}

/** Answers get and list of nodes and pods with the texts of metrics-server. */
export function createMetricsApi(options: {
  reader: ClusterReader;
  store: UsageStore;
  clock: Clock;
}): (request: MetricsRequest) => MetricsAnswer {
  const kinds: Readonly<Record<string, Kind>> = {
    nodes: nodeKind(options),
    pods: podKind(options),
  };
  return ({ context, headers }) => {
    const { info, query } = context;
    const kind = Object.hasOwn(kinds, info.resource) ? kinds[info.resource] : undefined;
    if (kind === undefined || !info.isResourceRequest || info.subresource !== '') return undefined;
    if (info.verb !== 'get' && info.verb !== 'list') throw methodNotAllowed();
    const isTable = wantsTable(headers['accept']);
    const include = query.get('includeObject');
    if (info.verb === 'get') {
      const item = kind.get(info.namespace, info.name);
      if (isTable) return { status: 200, body: metricsTable([item], kind.kind, include) };
      return { status: 200, body: { kind: kind.kind, apiVersion, ...item } };
    }
    const items = kind.list(info.namespace, query);
    if (isTable) return { status: 200, body: metricsTable(items, kind.kind, include) };
    return { status: 200, body: { kind: `${kind.kind}List`, apiVersion, metadata: {}, items } };
  };
}

interface Sources {
  readonly reader: ClusterReader;
  readonly store: UsageStore;
  readonly clock: Clock;
}

function nodeKind({ reader, store, clock }: Sources): Kind {
  const measure = (node: Node): NodeMetrics | undefined => {
    const usage = store.node(node.metadata.name);
    return usage && nodeMetrics(node, usage, clock.now());
  };
  return {
    kind: 'NodeMetrics',
    get(_namespace, name) {
      const node = reader.get<Node>(resources.nodes, '', name);
      if (node === undefined) throw notFound('nodes', '', name);
      const found = measure(node);
      if (found === undefined) throw notFound('nodemetrics', metricsGroup.group, name);
      return found;
    },
    list: (_namespace, query) =>
      selected(reader.list<Node>(resources.nodes), query).flatMap((node) => measure(node) ?? []),
  };
}

function podKind({ reader, store, clock }: Sources): Kind {
  const measure = (pod: Pod): PodMetrics | undefined => {
    const key = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
    const usage = store.pod(key, pod.spec?.nodeName ?? '');
    if (usage !== undefined) return podMetrics(pod, usage, clock.now());
    const startMs = Date.parse(pod.status?.startTime ?? '');
    if (clock.now() - startMs < newMs) store.want();
    return undefined;
  };
  const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';
  return {
    kind: 'PodMetrics',
    get(namespace, name) {
      const pod = reader.get<Pod>(resources.pods, namespace, name);
      if (pod === undefined || !isRunning(pod)) throw notFound('pods', '', name);
      const found = measure(pod);
      if (found === undefined) {
        throw notFound('podmetrics', metricsGroup.group, `${namespace}/${name}`);
      }
      return found;
    },
    list(namespace, query) {
      const all = reader.list<Pod>(resources.pods, namespace === '' ? undefined : namespace);
      return selected(all.filter(isRunning), query).flatMap((pod) => measure(pod) ?? []);
    },
  };
}

/** What the selectors of the query leave, ordered by namespace and name. */
function selected<T extends Node | Pod>(objects: readonly T[], query: URLSearchParams): T[] {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  const keyOf = ({ metadata }: T): string => `${metadata.namespace ?? ''}/${metadata.name}`;
  return objects
    .filter(({ metadata }) => labels.matches(metadata.labels))
    .filter(({ metadata }) =>
      fields.matches({
        'metadata.name': metadata.name,
        'metadata.namespace': metadata.namespace ?? '',
      }),
    )
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function wantsTable(accept: string | string[] | undefined): boolean {
  const first = String(accept ?? '').split(',')[0] ?? '';
  return /;\s*as=Table/.test(first);
}

function notFound(resource: string, group: string, name: string): ApiStatusError {
  const qualified = group === '' ? resource : `${resource}.${group}`;
  return new ApiStatusError({
    httpCode: 404,
    reason: 'NotFound',
    message: `${qualified} "${name}" not found`,
    details: { name, ...(group === '' ? {} : { group }), kind: resource },
  });
}

function methodNotAllowed(): ApiStatusError {
  return new ApiStatusError({
    httpCode: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });
}
