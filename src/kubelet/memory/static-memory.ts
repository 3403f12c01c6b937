import { K3tsError } from '#base/errors.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import type { Pod } from '#schema/types.ts';
import { containersOf, specOf, uidOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import { amountValue } from '../pods/resources.ts';
import { countNodes, isNarrower, podTotal } from '../topology/mod.ts';
import type { NumaMask, NumaNodes, ResourceHints, TopologyHint } from '../topology/mod.ts';
import { freeBlock, isSameNodes, nodeOf, reserveBlock } from './memory-blocks.ts';
import type { MutableMemory } from './memory-blocks.ts';
import type { MemoryBlock, MemoryTable } from './memory-checkpoint.ts';

/** Bytes by resource. */
type Amounts = ReadonlyMap<string, number>;
type MaskHint = TopologyHint & { readonly mask: NumaMask };

/** Which NUMA nodes give whom memory. Nothing here touches disk or runtime. */
export interface StaticMemory {
  hints(pod: Pod, container: AnyContainer): ResourceHints;
  podHints(pod: Pod): ResourceHints;
  /** Throws upstream's text when no nodes can give what the container asks for. */
  allocate(pod: Pod, container: AnyContainer, hint: TopologyHint): void;
  release(podUid: string): void;
}

/** Pods of class Guaranteed without resources of their own; others take memory from anywhere. */
export function isPlaced(pod: Pod): boolean {
  return podQosClass(pod.spec) === 'Guaranteed' && specOf(pod).resources === undefined;
}

export function createStaticMemory(nodes: NumaNodes, memory: MutableMemory): StaticMemory {
  const { machine, entries } = memory;
  const tableOf = (id: number, type: string): MemoryTable | undefined =>
    nodeOf(memory, id).memoryMap[type];
  const sum = (mask: NumaMask, type: string, field: 'free' | 'allocatable'): number =>
    nodes.idsIn(mask).reduce((total, id) => total + (tableOf(id, type)?.[field] ?? 0), 0);
  const blocksOf = (pod: Pod, name: string): MemoryBlock[] | undefined =>
    entries.get(uidOf(pod))?.get(name);

  /** What init containers that end leave to the containers after them. */
  const endingBefore = (pod: Pod, name: string): string[] => {
    const { initContainers = [] } = specOf(pod);
    const at = initContainers.findIndex((one) => one.name === name);
    const before = at < 0 ? initContainers : initContainers.slice(0, at);
    return before.filter((one) => one.restartPolicy !== 'Always').map((one) => one.name);
  };
  const isOn = (mask: NumaMask, { numaAffinity }: MemoryBlock): boolean =>
    isSameNodes(numaAffinity, nodes.idsIn(mask));
  const reusable = (pod: Pod, names: readonly string[], mask: NumaMask, type: string): number =>
    names
      .flatMap((name) => blocksOf(pod, name) ?? [])
      .filter((block) => block.type === type && isOn(mask, block))
      .reduce((total, { size }) => total + size, 0);

  /** Single nodes and groups of nodes do not mix: a node of a group gives only with the others. */
  const isTaken = (mask: NumaMask): boolean => {
    const ids = nodes.idsIn(mask);
    if (ids.length === 1) return false;
    return ids.some((id) => {
      const { numberOfAssignments, cells } = nodeOf(memory, id);
      return numberOfAssignments > 0 && (cells.length === 1 || !isSameNodes(cells, ids));
    });
  };
  const isInGroup = (mask: NumaMask): boolean => {
    const [id = 0, ...more] = nodes.idsIn(mask);
    return more.length === 0 && nodeOf(memory, id).cells.length > 1;
  };
  const candidates = (pod: Pod, wanted: Amounts, names: readonly string[]): MaskHint[] => {
    let fewest = nodes.ids.length;
    const masks: NumaMask[] = [];
    for (const mask of nodes.masks) {
      const fits = (of: (type: string) => number): boolean =>
        [...wanted].every(([type, bytes]) => of(type) >= bytes);
      if (!fits((type) => sum(mask, type, 'allocatable'))) continue;
      fewest = Math.min(fewest, countNodes(mask));
      if (isInGroup(mask) || isTaken(mask)) continue;
      if (fits((type) => sum(mask, type, 'free') + reusable(pod, names, mask, type))) {
        masks.push(mask);
      }
    }
    return masks.map((mask) => ({ mask, isPreferred: countNodes(mask) === fewest }));
  };
  const hintsOf = (pod: Pod, wanted: Amounts, names: readonly string[]): ResourceHints => {
    const hints = candidates(pod, wanted, names);
    // Where nothing fits, nobody has a preference: allocate says what is wrong, as upstream.
    return new Map(hints.length === 0 ? [] : [...wanted.keys()].map((type) => [type, hints]));
  };
  const hintsOfBlocks = (blocks: readonly MemoryBlock[], wanted: Amounts): ResourceHints => {
    const isSame =
      blocks.length === wanted.size && blocks.every(({ type, size }) => wanted.get(type) === size);
    if (!isSame) return new Map();
    return new Map(
      blocks.map(({ type, numaAffinity }) => [
        type,
        [{ mask: nodes.maskOf(numaAffinity), isPreferred: true }],
      ]),
    );
  };

  /** The nodes of the hint, or more than those when they do not have enough. */
  const chooseMask = (pod: Pod, wanted: Amounts, hint: TopologyHint, name: string): NumaMask => {
    const all = candidates(pod, wanted, endingBefore(pod, name));
    let chosen = hint;
    if (hint.mask === undefined) {
      if (all.length === 0) {
        throw memoryError(
          'failed to get the default NUMA affinity, no NUMA nodes with enough memory is available',
        );
      }
      chosen = bestOf(all);
      if (hint.isPreferred && !chosen.isPreferred) {
        throw memoryError('failed to find the default preferred hint');
      }
    }
    const mask = chosen.mask ?? nodes.all;
    if ([...wanted].every(([type, bytes]) => sum(mask, type, 'free') >= bytes)) return mask;
    const larger = all.filter((one) => (one.mask & mask) === mask);
    if (larger.length === 0) {
      throw memoryError('failed to find NUMA nodes to extend the current topology hint');
    }
    const extended = bestOf(larger);
    if (chosen.isPreferred && !extended.isPreferred) {
      throw memoryError('failed to find the extended preferred hint');
    }
    return extended.mask;
  };
  /** So that all blocks of a pod add up to what it was given. */
  const takeOver = (pod: Pod, names: readonly string[], taken: MemoryBlock): void => {
    let left = taken.size;
    for (const name of names) {
      const blocks = (blocksOf(pod, name) ?? []).map((block) => {
        if (block.type !== taken.type || !isSameNodes(block.numaAffinity, taken.numaAffinity)) {
          return block;
        }
        const part = Math.min(left, block.size);
        left -= part;
        return { ...block, size: block.size - part };
      });
      if (blocks.length > 0) entries.get(uidOf(pod))?.set(name, blocks);
    }
  };

  return {
    hints(pod, container) {
      if (!isPlaced(pod)) return new Map();
      const wanted = memoryRequests(container);
      const blocks = blocksOf(pod, container.name);
      if (blocks !== undefined) return hintsOfBlocks(blocks, wanted);
      return hintsOf(pod, wanted, endingBefore(pod, container.name));
    },
    podHints(pod) {
      if (!isPlaced(pod)) return new Map();
      const types = containersOf(pod).flatMap(({ container }) => [
        ...memoryRequests(container).keys(),
      ]);
      const wanted = new Map(
        [...new Set(types)].map((type): [string, number] => [
          type,
          podTotal(pod, (container) => memoryRequests(container).get(type) ?? 0),
        ]),
      );
      const known = containersOf(pod).find(
        ({ container }) => blocksOf(pod, container.name) !== undefined,
      );
      if (known === undefined) return hintsOf(pod, wanted, []);
      return hintsOfBlocks(blocksOf(pod, known.container.name) ?? [], wanted);
    },
    allocate(pod, container, hint) {
      if (!isPlaced(pod) || blocksOf(pod, container.name) !== undefined) return;
      const wanted = memoryRequests(container);
      const mask = chooseMask(pod, wanted, hint, container.name);
      if (isTaken(mask)) throw memoryError('preferred hint violates NUMA node allocation');
      const ending = endingBefore(pod, container.name);
      const numaAffinity = nodes.idsIn(mask);
      const blocks = [...wanted].map(([type, size]): MemoryBlock => ({ numaAffinity, type, size }));
      for (const block of blocks) {
        const again = reusable(pod, ending, mask, block.type);
        reserveBlock(machine, block, Math.max(block.size - again, 0));
        takeOver(pod, ending, block);
      }
      const own = entries.get(uidOf(pod)) ?? new Map<string, MemoryBlock[]>();
      entries.set(uidOf(pod), own.set(container.name, blocks));
    },
    release(podUid) {
      for (const blocks of entries.get(podUid)?.values() ?? []) {
        for (const block of blocks) freeBlock(machine, block);
      }
      entries.delete(podUid);
    },
  };
}

function memoryError(problem: string): K3tsError {
  return new K3tsError('NoMemory', `[memorymanager] ${problem}`);
}

/** Preferred ones first, then on fewer nodes. */
function bestOf(hints: readonly MaskHint[]): MaskHint {
  return hints.reduce((best, hint) => {
    if (hint.isPreferred !== best.isPreferred) return hint.isPreferred ? hint : best;
    return isNarrower(hint.mask, best.mask) ? hint : best;
  });
}

/** Memory and huge pages of a container, by resource. */
export function memoryRequests({ resources }: AnyContainer): Amounts {
  const { requests = {}, limits = {} } = resources ?? {};
  const amounts = { ...limits, ...requests };
  return new Map(
    Object.keys(amounts)
      .filter((name) => name === 'memory' || name.startsWith('hugepages-'))
      .sort()
      .map((name) => [name, amountValue(amounts, name)]),
  );
}
