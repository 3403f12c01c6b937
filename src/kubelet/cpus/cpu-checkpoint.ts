import { K3tsError } from '#base/errors.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import { readOptional } from '#host/files.ts';
import { fnv1a } from '../checkpoint-hash.ts';
import { formatCpuSet, noCpus, parseCpuSet } from './cpu-set.ts';
import type { CpuSet } from './cpu-set.ts';

/** By pod uid, then container name. */
export type CpuAssignments = Map<string, Map<string, CpuSet>>;

export interface CpuState {
  readonly policy: string;
  /** Processors of everybody who has none of his own. */
  readonly shared: CpuSet;
  readonly assignments: CpuAssignments;
}

interface Checkpoint {
  readonly policyName: string;
  readonly defaultCpuSet: string;
  readonly entries?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly checksum?: number;
}

const entriesOf = ({ assignments }: CpuState): Checkpoint['entries'] =>
  Object.fromEntries(
    [...assignments].map(([uid, containers]) => [
      uid,
      Object.fromEntries([...containers].map(([name, cpus]) => [name, formatCpuSet(cpus)])),
    ]),
  );

/** Writes `cpu_manager_state` in upstream's form with its checksum: a kubelet can read it. */
export async function writeCpuState(path: string, state: CpuState): Promise<void> {
  const entries = entriesOf(state) ?? {};
  const checkpoint: Checkpoint = {
    policyName: state.policy,
    defaultCpuSet: formatCpuSet(state.shared),
    ...(Object.keys(entries).length === 0 ? {} : { entries }),
  };
  const checksum = checkpointChecksum(checkpoint);
  await writeFileAtomic(path, JSON.stringify({ ...checkpoint, checksum }), 0o600);
}

/**
 * Reads the state; undefined when there is none. A file of another policy, or one that was changed,
 * throws with upstream's text: pods may run on processors that nobody remembers.
 */
export async function readCpuState(path: string, policy: string): Promise<CpuState | undefined> {
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  const drain = `please drain this node and delete the CPU manager checkpoint file "${path}" before restarting Kubelet`;
  const refuse = (problem: string): never => {
    throw new K3tsError(
      'InvalidCpuState',
      `could not restore state from checkpoint: ${problem}, ${drain}`,
    );
  };
  let checkpoint: Checkpoint;
  try {
    checkpoint = JSON.parse(text) as Checkpoint;
  } catch {
    return refuse('checkpoint is corrupted');
  }
  const { checksum = 0, policyName, defaultCpuSet, entries = {} } = checkpoint;
  if (checksum !== 0 && checksum !== checkpointChecksum(checkpoint)) {
    refuse('checkpoint is corrupted');
  }
  if (policyName !== policy) {
    refuse(`configured policy "${policy}" differs from state checkpoint policy "${policyName}"`);
  }
  const assignments: CpuAssignments = new Map();
  for (const [uid, containers] of Object.entries(entries)) {
    const own = Object.entries(containers).map(
      ([name, cpus]) => [name, parseCpuSet(cpus)] as const,
    );
    assignments.set(uid, new Map(own));
  }
  return { policy, shared: parseCpuSet(defaultCpuSet), assignments };
}

/** The state of a kubelet that gives out no processors. */
export const emptyCpuState: CpuState = { policy: 'none', shared: noCpus, assignments: new Map() };

/** FNV-1a over what Go prints for the structure, as upstream's checkpoint manager. */
function checkpointChecksum({ policyName, defaultCpuSet, entries = {} }: Checkpoint): number {
  const map = (pairs: readonly string[]): string => `map[${pairs.toSorted().join(' ')}]`;
  const pods = Object.entries(entries).map(([uid, containers]) => {
    const own = Object.entries(containers).map(([name, cpus]) => `${name}:${cpus}`);
    return `${uid}:${map(own)}`;
  });
  return fnv1a(
    `(*state.CPUManagerCheckpoint){PolicyName:(string)${policyName} ` +
      `DefaultCPUSet:(string)${defaultCpuSet} ` +
      `Entries:(map[string]map[string]string)${map(pods)} Checksum:(checksum.Checksum)0}`,
  );
}
