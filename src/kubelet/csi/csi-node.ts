import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { CSINode, CSINodeDriver, Node } from '#schema/types.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { NodeInfo } from './csi-messages.ts';

const nodeIdAnnotation = 'csi.volume.kubernetes.io/nodeid';
const retryMs = 1_000;
const maxTries = 5;

/** Keeps the drivers of this node in its CSINode, and what they say of the node in its Node. */
export interface CsiNodeWriter {
  /** Makes the CSINode once the Node is there; tries until the signal is aborted. */
  ensure(signal: AbortSignal): Promise<void>;
  add(driver: string, info: NodeInfo): Promise<void>;
  remove(driver: string): Promise<void>;
}

export function createCsiNodeWriter(options: {
  client: Client;
  nodeName: string;
  clock: Clock;
  log: Logger;
}): CsiNodeWriter {
  const { client, nodeName, clock, log } = options;

  const read = async (): Promise<CSINode> => {
    try {
      return await client.get<CSINode>(resources.csiNodes, nodeName);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    const node = await client.get<Node>(resources.nodes, nodeName);
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid ?? '' };
    return await client.create<CSINode>(resources.csiNodes, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: nodeName, ownerReferences: [owner] },
      spec: { drivers: [] },
    });
  };
  const change = async (
    driver: string,
    next: (present: CSINodeDriver | undefined) => CSINodeDriver | undefined,
  ): Promise<void> => {
    for (let tries = 1; ; tries++) {
      const csiNode = await read();
      const { drivers } = csiNode.spec;
      const present = drivers.find(({ name }) => name === driver);
      const wanted = next(present);
      if (canonicalJson(present ?? null) === canonicalJson(wanted ?? null)) return;
      const others = drivers.filter(({ name }) => name !== driver);
      const spec = { drivers: wanted === undefined ? others : [...others, wanted] };
      try {
        await client.update(resources.csiNodes, { ...csiNode, spec });
        return;
      } catch (error) {
        if (!hasReason(error, 'Conflict') || tries === maxTries) throw error;
      }
    }
  };
  /** The id as the drivers' own controllers look for it, and labels for the scheduler. */
  const annotate = async (driver: string, info: NodeInfo | undefined): Promise<void> => {
    const { metadata } = await client.get<Node>(resources.nodes, nodeName);
    const ids = parseIds(metadata.annotations?.[nodeIdAnnotation]);
    if (info === undefined) delete ids[driver];
    else ids[driver] = info.nodeId;
    const text = Object.keys(ids).length === 0 ? null : JSON.stringify(ids);
    const labels = info?.accessibleTopology?.segments ?? {};
    const body = { metadata: { annotations: { [nodeIdAnnotation]: text }, labels } };
    await client.patch(resources.nodes, nodeName, { type: 'strategic', body });
  };

  return {
    async ensure(signal) {
      while (!signal.aborted) {
        try {
          await read();
          return;
        } catch (error) {
          log.debug('the CSINode is not there yet', { error: messageOf(error) });
        }
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    },
    async add(driver, info) {
      const topologyKeys = Object.keys(info.accessibleTopology?.segments ?? {}).sort();
      const limit = info.maxVolumesPerNode;
      await annotate(driver, info);
      await change(driver, () => ({
        name: driver,
        nodeID: info.nodeId,
        topologyKeys,
        ...(limit > 0 ? { allocatable: { count: limit } } : {}),
      }));
    },
    async remove(driver) {
      await change(driver, () => undefined);
      await annotate(driver, undefined);
    },
  };
}

function parseIds(text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    return {};
  }
}
