import { K3tsError, messageOf } from '#base/errors.ts';
import {
  formatQuantity,
  isZeroQuantity,
  parseQuantity,
  quantityOf,
  quantityValue,
} from '#base/quantity.ts';
import type { NumaNode } from '../topology/mod.ts';

/** An entry of reservedMemory: memory of one NUMA node that pods do not get. */
export interface ReservedMemory {
  readonly numaNode: number;
  readonly limits: Readonly<Record<string, string>>;
}

/** Bytes by NUMA node id and resource. */
export type ReservedBytes = ReadonlyMap<number, ReadonlyMap<string, number>>;

const isMemory = (name: string): boolean => name === 'memory' || name.startsWith('hugepages-');

/** What is wrong with reservedMemory, whatever the machine, in upstream's words. */
export function reservedMemoryProblem(given: readonly ReservedMemory[]): string | undefined {
  const seen = new Set<string>();
  for (const { numaNode, limits } of given) {
    for (const [name, text] of Object.entries(limits)) {
      if (!isMemory(name)) {
        return `the limit type "${name}" for NUMA node ${numaNode} is not supported, only [memory hugepages-<HugePageSize>] is accepted`;
      }
      let isZero: boolean;
      try {
        isZero = isZeroQuantity(parseQuantity(text));
      } catch (error) {
        return `reservedMemory (--reserved-memory) ${name}: ${messageOf(error)}`;
      }
      if (isZero) {
        return `reserved memory may not be zero for NUMA node ${numaNode} and resource "${name}"`;
      }
      const key = `${numaNode} ${name}`;
      if (seen.has(key)) {
        return `the reserved memory has a duplicate value for NUMA node ${numaNode} and resource "${name}"`;
      }
      seen.add(key);
    }
  }
  return undefined;
}

/**
 * What is reserved on each NUMA node. Throws upstream's text for nodes that are not there, and
 * unless the amounts add up to `nodeReserved`: what kubeReserved, systemReserved and evictionHard keep.
 */
export function readReservedMemory(
  given: readonly ReservedMemory[],
  nodes: readonly NumaNode[],
  nodeReserved: Readonly<Record<string, number>>,
): ReservedBytes {
  const refuse = (message: string): never => {
    throw new K3tsError('InvalidKubeletConfiguration', message);
  };
  const totals = new Map<string, number>();
  const byNode = new Map(nodes.map(({ id }) => [id, new Map<string, number>()]));
  for (const { numaNode, limits } of given) {
    const own = byNode.get(numaNode);
    if (own === undefined) {
      return refuse(
        `the reserved memory configuration references a NUMA node ${numaNode} that does not exist on this machine`,
      );
    }
    for (const [name, text] of Object.entries(limits)) {
      const bytes = quantityValue(parseQuantity(text));
      own.set(name, (own.get(name) ?? 0) + bytes);
      totals.set(name, (totals.get(name) ?? 0) + bytes);
    }
  }
  const names = new Set([...totals.keys(), ...Object.keys(nodeReserved)].filter(isMemory));
  for (const name of names) {
    const [reserved, expected] = [totals.get(name) ?? 0, nodeReserved[name] ?? 0];
    if (reserved === expected) continue;
    refuse(
      `the total amount "${inBinary(reserved)}" of type "${name}" is not equal to the value "${inBinary(expected)}" determined by Node Allocatable feature`,
    );
  }
  return byNode;
}

const inBinary = (bytes: number): string => formatQuantity(quantityOf(bytes, 'BinarySI'));
