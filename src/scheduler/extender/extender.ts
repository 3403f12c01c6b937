import { K3tsError } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { ExtenderConfiguration } from '../config/mod.ts';
import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import type { Victims, VictimsByNode } from '../framework/plugin.ts';
import { unresolvable, unschedulable } from '../framework/status.ts';
import type { Status } from '../framework/status.ts';
import { createHttpPost } from './http-post.ts';
import { field } from './wire-field.ts';

/** What an extender's score of 0 to 10 is multiplied with to compare with that of plugins. */
const scoreScale = 10;

/** One extender. Every method rejects when the service cannot be asked or says that it failed. */
export interface Extender {
  readonly name: string;
  /** Pods are scheduled without it when it fails. */
  readonly isIgnorable: boolean;
  readonly canFilter: boolean;
  readonly canPrioritize: boolean;
  readonly canPreempt: boolean;
  readonly canBind: boolean;
  /** Resources that it alone counts: NodeResourcesFit leaves them out. */
  readonly ignoredResources: readonly string[];
  /** False for pods that ask for none of the resources that it manages. */
  isInterestedIn(pod: Pod): boolean;
  /** The nodes that are left; why others are not is put into `statuses`. */
  filter(
    pod: Pod,
    nodes: readonly NodeInfo[],
    statuses: Map<string, Status>,
  ): Promise<readonly NodeInfo[]>;
  /** What to add to the score of a node, already weighted. */
  prioritize(pod: Pod, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>>;
  /** The nodes that may be cleared, of pods that are known on them. */
  preempt(
    pod: Pod,
    victims: VictimsByNode,
    podsOn: (nodeName: string) => Iterable<PodInfo>,
  ): Promise<VictimsByNode>;
  bind(pod: Pod, nodeName: string): Promise<void>;
}

export function createExtender(configuration: ExtenderConfiguration, clock: Clock): Extender {
  const { urlPrefix, filterVerb, prioritizeVerb, preemptVerb, bindVerb } = configuration;
  const { weight, nodeCacheCapable, managedResources } = configuration;
  const managed = new Set(managedResources.map(({ name }) => name));
  const post = createHttpPost(configuration, clock);
  const argsOf = (pod: Pod, nodes: readonly NodeInfo[]): Record<string, unknown> =>
    nodeCacheCapable
      ? { Pod: pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) }
      : { Pod: pod, Nodes: { items: nodes.map(({ node }) => node) }, NodeNames: null };

  return {
    name: urlPrefix,
    isIgnorable: configuration.ignorable,
    canFilter: filterVerb !== '',
    canPrioritize: prioritizeVerb !== '',
    canPreempt: preemptVerb !== '',
    canBind: bindVerb !== '',
    ignoredResources: managedResources
      .filter(({ ignoredByScheduler }) => ignoredByScheduler)
      .map(({ name }) => name),
    isInterestedIn: (pod) => managed.size === 0 || asksFor(pod, managed),
    async filter(pod, nodes, statuses) {
      const answer = await post(filterVerb, argsOf(pod, nodes));
      failOn(answer);
      const byName = new Map(nodes.map((node) => [node.name, node]));
      const names = keptNames(answer, nodeCacheCapable);
      const kept = names.map((name) => {
        const node = byName.get(name);
        if (node !== undefined) return node;
        throw new K3tsError(
          'Internal',
          `extender "${urlPrefix}" claims a filtered node "${name}" which is not found in the input node list`,
        );
      });
      const hopeless = entriesOf(field(answer, 'FailedAndUnresolvableNodes'));
      for (const [name, reason] of hopeless) {
        statuses.set(name, unresolvable(String(reason)));
      }
      for (const [name, reason] of entriesOf(field(answer, 'FailedNodes'))) {
        if (!hopeless.has(name)) statuses.set(name, unschedulable(String(reason)));
      }
      return kept;
    },
    async prioritize(pod, nodes) {
      const answer = await post(prioritizeVerb, argsOf(pod, nodes));
      const scores = new Map<string, number>();
      for (const entry of Array.isArray(answer) ? answer : []) {
        const name = field(entry, 'Host');
        const score = Number(field(entry, 'Score'));
        if (typeof name === 'string' && Number.isFinite(score)) {
          scores.set(name, score * weight * scoreScale);
        }
      }
      return scores;
    },
    async preempt(pod, victims, podsOn) {
      const answer = await post(preemptVerb, preemptionArgs(pod, victims, nodeCacheCapable));
      const left = new Map<string, Victims>();
      for (const [nodeName, entry] of entriesOf(field(answer, 'NodeNameToMetaVictims'))) {
        const pods = (field(entry, 'Pods') ?? []) as readonly unknown[];
        left.set(nodeName, {
          victims: pods.map((one) =>
            victimOn(nodeName, String(field(one, 'UID')), podsOn, urlPrefix),
          ),
          budgetViolations: Number(field(entry, 'NumPDBViolations') ?? 0),
        });
      }
      return left;
    },
    async bind(pod, nodeName) {
      const { name, namespace, uid } = pod.metadata;
      failOn(
        await post(bindVerb, {
          PodName: name,
          PodNamespace: namespace,
          PodUID: uid,
          Node: nodeName,
        }),
      );
    },
  };
}

function asksFor(pod: Pod, managed: ReadonlySet<string>): boolean {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.some(({ resources }) =>
    Object.keys({ ...resources?.requests, ...resources?.limits }).some((name) => managed.has(name)),
  );
}

function entriesOf(object: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof object === 'object' && object !== null ? Object.entries(object) : []);
}

function failOn(answer: unknown): void {
  const error = field(answer, 'Error');
  if (typeof error === 'string' && error !== '') throw new K3tsError('Internal', error);
}

function keptNames(answer: unknown, isCacheCapable: boolean): string[] {
  const names = field(answer, 'NodeNames');
  if (isCacheCapable && Array.isArray(names)) return names.map(String);
  const nodes = field(answer, 'Nodes');
  const items = (nodes as { items?: readonly Node[] } | null | undefined)?.items ?? [];
  return items.map(({ metadata }) => metadata.name);
}

function preemptionArgs(
  pod: Pod,
  byNode: VictimsByNode,
  isCacheCapable: boolean,
): Record<string, unknown> {
  const entries = [...byNode].map(([nodeName, { victims, budgetViolations }]) => {
    const pods = isCacheCapable
      ? victims.map(({ pod: victim }) => ({ UID: victim.metadata.uid ?? '' }))
      : victims.map(({ pod: victim }) => victim);
    return [nodeName, { Pods: pods, NumPDBViolations: budgetViolations }] as const;
  });
  const named = Object.fromEntries(entries);
  return isCacheCapable
    ? { Pod: pod, NodeNameToVictims: null, NodeNameToMetaVictims: named }
    : { Pod: pod, NodeNameToVictims: named, NodeNameToMetaVictims: null };
}

function victimOn(
  nodeName: string,
  uid: string,
  podsOn: (nodeName: string) => Iterable<PodInfo>,
  extender: string,
): PodInfo {
  for (const info of podsOn(nodeName)) if (info.pod.metadata.uid === uid) return info;
  throw new K3tsError(
    'Internal',
    `extender: ${extender} claims to preempt pod (UID: ${uid}) on node: ${nodeName}, but the pod is not found on that node`,
  );
}
