import { reservedMemoryProblem } from '../memory/mod.ts';
import type { ReservedMemory } from '../memory/mod.ts';
import { topologyPolicyProblem } from '../topology/mod.ts';
import type { JsonValue } from './field.ts';

/** Entries of reservedMemory as the configuration has them. */
export function reservedMemoryOf(value: JsonValue | undefined): ReservedMemory[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Record<string, JsonValue>[]).map(({ numaNode, limits }) => ({
    numaNode: Number(numaNode ?? 0),
    limits: Object.fromEntries(
      Object.entries(limits ?? {}).map(([name, amount]) => [name, String(amount)]),
    ),
  }));
}

/** What is wrong with the topology and memory managers' settings, whatever the machine. */
export function numaProblem(value: (name: string) => JsonValue | undefined): string | undefined {
  const memoryPolicy = String(value('memoryManagerPolicy') ?? 'None');
  if (!['None', 'Static'].includes(memoryPolicy)) {
    return `memoryManagerPolicy (--memory-manager-policy): unknown policy: "${memoryPolicy}"`;
  }
  const options = Object.entries(value('topologyManagerPolicyOptions') ?? {});
  return (
    topologyPolicyProblem({
      policy: String(value('topologyManagerPolicy') ?? 'none'),
      scope: String(value('topologyManagerScope') ?? 'container'),
      options: Object.fromEntries(options.map(([name, text]) => [name, String(text)])),
    }) ?? reservedMemoryProblem(reservedMemoryOf(value('reservedMemory')))
  );
}
