import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { Node, NodeCondition, NodeStatus } from '#schema/types.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { KubeletConfig } from '../kubelet-config.ts';
import type { MachineInfo } from '../machine-info.ts';
import { conditionEvent } from './node-conditions.ts';
import { newNode, nodeLabels, nodeStatus } from './node-object.ts';
import type { NodeFacts } from './node-object.ts';

/** Registers this node and keeps its status true on the API server. */
export interface NodeReporter {
  /** Resolves once the Node exists; tries until the signal is aborted. */
  register(signal: AbortSignal): Promise<void>;
  /** Reports in its intervals until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Reports now when something changed: the runtime or network got ready. */
  poke(): void;
  /** The Node as it was last read or written. */
  node(): Node | undefined;
  /** A newer Node from a watch. */
  observe(node: Node): void;
}

const firstRetryMs = 100;
const maxRetryMs = 7_000;
const updateTries = 5;

export function createNodeReporter(options: {
  client: Client;
  clock: Clock;
  log: Logger;
  recorder: Pick<EventRecorder, 'event'>;
  config: KubeletConfig;
  machine: MachineInfo;
  nodeName: string;
  /** Looks at machine and runtime anew. */
  facts: () => Promise<NodeFacts>;
}): NodeReporter {
  const { client, clock, log, recorder, config, nodeName, facts } = options;
  let node: Node | undefined;
  let lastPostMs = -Infinity;
  let wake: (() => void) | undefined;
  let isPoked = false;
  let isRegistered = false;

  const observe = (newer: Node): void => {
    const [a = 0, b = 0] = [node, newer].map((one) => Number(one?.metadata.resourceVersion));
    if (node === undefined || node.metadata.uid !== newer.metadata.uid || !(b < a)) node = newer;
  };

  const registerOnce = async (signal: AbortSignal): Promise<void> => {
    const wanted = newNode(await facts());
    await createOrAdopt(wanted, signal);
    if (isRegistered) return;
    isRegistered = true;
    // As upstream at each start; readiness is told of when it changes.
    for (const condition of wanted.status?.conditions ?? []) {
      if (condition.type !== 'Ready') tellOf(condition);
    }
  };
  const createOrAdopt = async (wanted: Node, signal: AbortSignal): Promise<void> => {
    let present: Node;
    try {
      present = await client.get<Node>(resources.nodes, nodeName, { signal });
    } catch (error) {
      if (!hasReason(error, 'NotFound') || !config.registerNode) throw error;
      node = await client.create(resources.nodes, wanted, { signal });
      lastPostMs = clock.now();
      return;
    }
    const metadata = metadataPatch(present, options);
    node =
      metadata === undefined
        ? present
        : await client.patch<Node>(
            resources.nodes,
            nodeName,
            { type: 'strategic', body: { metadata } },
            { signal },
          );
  };

  const post = async (signal: AbortSignal): Promise<void> => {
    if (node === undefined) return;
    const before = node.status ?? {};
    const status = nodeStatus(await facts(), before);
    const isDue = clock.now() - lastPostMs >= config.nodeStatusReportFrequencyMs;
    if (!isDue && isSameStatus(before, status)) return;
    reportEvents(before, status);
    node = await client.patch<Node>(
      resources.nodes,
      nodeName,
      { type: 'strategic', body: statusPatch(before, status) },
      { subresource: 'status', signal },
    );
    lastPostMs = clock.now();
  };
  const tellOf = (condition: NodeCondition): void => {
    const reason = conditionEvent(condition);
    const message = `Node ${nodeName} status is now: ${reason}`;
    recorder.event(nodeReference(nodeName), 'Normal', reason, message);
  };
  const reportEvents = (before: NodeStatus, status: NodeStatus): void => {
    for (const condition of status.conditions ?? []) {
      const known = before.conditions?.find(({ type }) => type === condition.type);
      const isTold = condition.type !== 'Ready' && known === undefined;
      if (known?.status !== condition.status && !isTold) tellOf(condition);
    }
    const [oldBoot = '', newBoot = ''] = [before.nodeInfo?.bootID, status.nodeInfo?.bootID];
    if (oldBoot === '' || oldBoot === newBoot) return;
    const message = `Node ${nodeName} has been rebooted, boot id: ${newBoot}`;
    recorder.event(nodeReference(nodeName), 'Warning', 'Rebooted', message);
  };
  const postWithTries = async (signal: AbortSignal): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        await post(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (hasReason(error, 'NotFound')) {
          await registerOnce(signal).catch(() => undefined);
        }
        if (tries < updateTries) continue;
        log.warning('the node status was not taken', { error: messageOf(error) });
        return;
      }
    }
  };
  const pause = (delayMs: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        wake = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = clock.after(delayMs, done);
      signal.addEventListener('abort', done, { once: true });
      wake = done;
    });

  return {
    node: () => node,
    observe,
    poke() {
      isPoked = true;
      wake?.();
    },
    async register(signal) {
      let retryMs = firstRetryMs;
      while (!signal.aborted) {
        try {
          await registerOnce(signal);
          return;
        } catch (error) {
          if (signal.aborted) return;
          log.info('the node is not registered yet', { error: messageOf(error) });
        }
        await clock.sleep(retryMs, signal).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, maxRetryMs);
      }
    },
    async run(signal) {
      while (!signal.aborted) {
        isPoked = false;
        await postWithTries(signal);
        if (!signal.aborted && !isPoked) await pause(config.nodeStatusUpdateFrequencyMs, signal);
      }
    },
  };
}

/** Events about nodes carry the node's name as uid, as upstream. */
export function nodeReference(nodeName: string) {
  return { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
}

/** Labels and annotations that the kubelet owns and that differ. */
function metadataPatch(
  present: Node,
  { nodeName, machine, config }: { nodeName: string; machine: MachineInfo; config: KubeletConfig },
): object | undefined {
  const differing = (
    wanted: Readonly<Record<string, string>>,
    own: Record<string, string> | undefined,
  ): Record<string, string> =>
    Object.fromEntries(Object.entries(wanted).filter(([key, value]) => own?.[key] !== value));
  const labels = differing(nodeLabels(nodeName, machine, config), present.metadata.labels);
  const annotations = differing(
    {
      'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
      ...config.nodeAnnotations,
    },
    present.metadata.annotations,
  );
  const isSame = Object.keys(labels).length + Object.keys(annotations).length === 0;
  return isSame ? undefined : { labels, annotations };
}

/** Heartbeats do not count as a change. */
function isSameStatus(before: NodeStatus, after: NodeStatus): boolean {
  const essence = (status: NodeStatus): string => {
    const types = new Set(after.conditions?.map(({ type }) => type));
    const own = (status.conditions ?? []).filter(({ type }) => types.has(type));
    return canonicalJson([
      own.map(({ type, status: value, reason, message }) => [type, value, reason, message]).sort(),
      status.capacity,
      status.allocatable,
      status.addresses,
      status.nodeInfo,
      status.images,
      status.volumesInUse ?? [],
      status.runtimeHandlers ?? [],
      status.declaredFeatures ?? [],
    ]);
  };
  return essence(before) === essence(after);
}

function statusPatch(before: NodeStatus, status: NodeStatus): object {
  const isSameAddresses = canonicalJson(before.addresses) === canonicalJson(status.addresses);
  // Addresses merge by type, which would lose the second of two InternalIPs.
  const addresses = isSameAddresses
    ? status.addresses
    : [...(status.addresses ?? []), { $patch: 'replace' }];
  // A list that is empty now has to be taken away.
  const hasNoneNow = before.volumesInUse !== undefined && status.volumesInUse === undefined;
  return {
    status: { ...status, addresses, ...(hasNoneNow ? { volumesInUse: null } : {}) },
  };
}
