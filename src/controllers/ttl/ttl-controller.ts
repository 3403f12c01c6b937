import { hasReason } from '#base/api-status-error.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';
import type { StartController } from '../context.ts';

const annotation = 'node.alpha.kubernetes.io/ttl';

/** The larger the cluster, the longer; sizes overlap so that a node more or less changes nothing. */
const steps: readonly { min: number; max: number; seconds: number }[] = [
  { min: 0, max: 100, seconds: 0 },
  { min: 90, max: 500, seconds: 15 },
  { min: 450, max: 1000, seconds: 30 },
  { min: 900, max: 2000, seconds: 60 },
  { min: 1800, max: Number.POSITIVE_INFINITY, seconds: 300 },
];

/** The step for this many nodes, coming from another one. */
export function nextStep(step: number, nodes: number): number {
  let next = step;
  while (nodes > (steps[next]?.max ?? Number.POSITIVE_INFINITY)) next += 1;
  while (nodes < (steps[next]?.min ?? 0)) next -= 1;
  return next;
}

/** Keeps the annotation of every node. */
export const startTtlController: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const nodes = informers.informer<Node>(resources.nodes);
  let step = 0;
  let count = 0;
  const wanted = (): string => String(steps[step]?.seconds ?? 0);
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'ttl-controller',
    clock,
    log,
    signal,
    ready: nodes.synced(signal),
    async reconcile(name) {
      const value = wanted();
      const live = nodes.get(name)?.metadata.annotations?.[annotation];
      if (nodes.get(name) === undefined || live === value) return;
      const body = { metadata: { annotations: { [annotation]: value } } };
      try {
        await client.patch(resources.nodes, name, { type: 'merge', body });
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
    },
  });
  const look = ({ metadata }: Node): void => {
    if (metadata.annotations?.[annotation] !== wanted()) loop.queue.add(metadata.name);
  };
  const counted = (change: number): void => {
    count += change;
    const before = step;
    step = nextStep(step, count);
    if (step !== before) for (const node of nodes.list()) look(node);
  };
  nodes.addHandler({
    onAdd(node) {
      counted(1);
      look(node);
    },
    onUpdate: (_old, node) => look(node),
    onDelete: () => counted(-1),
  });
  return loop.done;
};
