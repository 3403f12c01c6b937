import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import { failureMessage } from '../../diagnosis.ts';
import type { ClusterLookups } from '../../framework/lookups.ts';
import type { PodInfo } from '../../framework/node-info.ts';
import type {
  CycleState,
  FailedAttempt,
  Plugin,
  PostFilterResult,
} from '../../framework/plugin.ts';
import { unschedulable } from '../../framework/status.ts';
import type { Status } from '../../framework/status.ts';
import type { Candidate } from './candidates.ts';
import { findVictims, pickCandidate } from './candidates.ts';
import { ineligibility, preemptibleNodes } from './eligibility.ts';
import { evictVictims } from './evict-victims.ts';
import { priorityOf } from './priority-of.ts';
import { takeBackPromises } from './take-back-promises.ts';

const notHelpful: Status = {
  code: 'UnschedulableAndUnresolvable',
  reasons: ['Preemption is not helpful for scheduling'],
};

/** DefaultPreemptionArgs: on how many nodes preemption is tried out. */
export interface DefaultPreemptionArgs {
  readonly minCandidateNodesPercentage?: number | undefined;
  readonly minCandidateNodesAbsolute?: number | undefined;
}

/**
 * Makes room for a pod by deleting pods of lower priority from the node where that hurts least. The
 * pod is nominated to the node and tried again once they are gone.
 */
export function createDefaultPreemption(
  parts: {
    client: Client;
    events: EventRecorder;
    lookups: ClusterLookups;
    clock: Clock;
    random: Random;
  },
  args: DefaultPreemptionArgs = {},
): Plugin {
  const { client, events, lookups, clock, random } = parts;
  const { minCandidateNodesPercentage = 10, minCandidateNodesAbsolute = 100 } = args;
  return {
    name: 'DefaultPreemption',
    retryOn: ['AssignedPod/Delete'],
    postFilter(state, pod, attempt) {
      const refusal = ineligibility(pod, attempt);
      if (refusal !== undefined) return { status: refuse(refusal) };
      const { nodes, hopeless } = preemptibleNodes(attempt);
      const statuses = new Map<string, Status>();
      for (const nodeName of hopeless.keys()) statuses.set(nodeName, notHelpful);
      const percentage = Math.floor((nodes.length * minCandidateNodesPercentage) / 100);
      const wanted = Math.min(Math.max(percentage, minCandidateNodesAbsolute), nodes.length);
      const offset = nodes.length === 0 ? 0 : random.integer(nodes.length);
      const ordered = [...nodes.slice(offset), ...nodes.slice(0, offset)];
      const candidates = tryOut({ state, pod, attempt, nodes: ordered, wanted, statuses, lookups });
      const settle = (left: readonly Candidate[]): PostFilterResult => {
        const candidate = pickCandidate(left);
        if (candidate === undefined) {
          const nodeCount = attempt.snapshot.nodes.length;
          const text = failureMessage({ nodeCount, statuses });
          return { status: refuse(text), clearsNomination: true };
        }
        const { schedulerName } = attempt;
        // Less important pods that were promised the node will not find their room there now.
        const outdone = [...attempt.nominatedOn(candidate.nodeName)].filter(
          (other) => priorityOf(other) < priorityOf(pod),
        );
        return {
          status: { code: 'Success', reasons: [] },
          nominatedNodeName: candidate.nodeName,
          victimCount: candidate.victims.length,
          commit: async () => {
            await evictVictims({ candidate, preemptor: pod, schedulerName, client, events, clock });
            await takeBackPromises(client, outdone);
          },
        };
      };
      const { narrowVictims } = attempt;
      if (narrowVictims === undefined || candidates.length === 0) return settle(candidates);
      const victims = new Map(candidates.map((candidate) => [candidate.nodeName, candidate]));
      return narrowVictims(victims).then((left) =>
        settle([...left].map(([nodeName, found]) => ({ ...found, nodeName }))),
      );
    },
  };
}

/** Candidates without broken budgets are enough once `wanted` were found. */
function tryOut(options: {
  state: CycleState;
  pod: PodInfo;
  attempt: FailedAttempt;
  nodes: readonly FailedAttempt['snapshot']['nodes'][number][];
  wanted: number;
  statuses: Map<string, Status>;
  lookups: ClusterLookups;
}): Candidate[] {
  const { state, pod, attempt, nodes, wanted, statuses, lookups } = options;
  const gentle: Candidate[] = [];
  const violating: Candidate[] = [];
  const budgetsOf = lookups.disruptionBudgets;
  for (const node of nodes) {
    if (gentle.length > 0 && gentle.length + violating.length >= wanted) break;
    const found = findVictims({ state, pod, node, attempt, budgetsOf });
    if (!('victims' in found)) {
      // Not even without its pods of lower priority does the node take the pod, or it has none.
      statuses.set(node.name, found);
      continue;
    }
    (found.budgetViolations === 0 ? gentle : violating).push(found);
  }
  return [...gentle, ...violating];
}

function refuse(text: string): Status {
  return unschedulable(`preemption: ${text}`);
}
