import { signalProcess } from '#host/process.ts';
import type { Random } from '#base/random.ts';
import { readProcesses } from './machine-state.ts';

export const faultKinds = [
  'agent',
  'containerd',
  'shim',
  'server',
  'server and containerd',
] as const;
export type FaultKind = (typeof faultKinds)[number];

const patterns = {
  agent: /^k3ts agent/,
  server: /^k3ts server/,
  containerd: /^\S*containerd --config/,
  shim: /^\S*containerd-shim-runc-v2 -namespace/,
} as const;

/** Each kind comes once before one comes again. */
export function faultPlan(rounds: number, random: Random): FaultKind[] {
  const plan: FaultKind[] = [];
  while (plan.length < rounds) {
    const deck = [...faultKinds];
    while (deck.length > 0) plan.push(...deck.splice(random.integer(deck.length), 1));
  }
  return plan.slice(0, rounds);
}

/** Sends SIGKILL; answers how many processes it was sent to. */
export async function strike(kind: FaultKind, random: Random): Promise<number> {
  const processes = await readProcesses();
  const pidsOf = (pattern: RegExp): number[] =>
    processes.filter(({ line }) => pattern.test(line)).map(({ pid }) => pid);
  let victims: number[];
  if (kind === 'shim') {
    const shims = pidsOf(patterns.shim);
    victims = shims.splice(random.integer(Math.max(1, shims.length)), 1);
  } else if (kind === 'server and containerd') {
    victims = [...pidsOf(patterns.server), ...pidsOf(patterns.containerd)];
  } else {
    victims = pidsOf(patterns[kind]);
  }
  for (const pid of victims) signalProcess(pid, 'SIGKILL');
  return victims.length;
}

export function endsServer(kind: FaultKind): boolean {
  return kind.startsWith('server');
}
