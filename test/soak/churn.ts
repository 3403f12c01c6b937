import { systemClock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { createChurnContext, type Action, type ChurnOptions } from './churn-context.ts';
import { wantedCount } from './desired.ts';
import { podActions } from './pod-actions.ts';
import { replicaActions } from './replica-actions.ts';
import { workloadActions } from './workload-actions.ts';

const workers = 4;

export interface Churn {
  /** Makes what is always there, and pods until there are as many. */
  fill(count: number): Promise<void>;
  /** All was deleted by somebody else. */
  forget(): void;
  /** Lets actions happen until `pause`. */
  resume(): void;
  /** Resolves when all actions that were under way are answered. */
  pause(): Promise<void>;
  /** How often each action was done. */
  counts(): Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/**
 * Creates, updates, crashes, asks and deletes at random, a few actions at a time, and writes down in
 * `desired` what should be there. An action that was begun is repeated until it is answered.
 */
export function createChurn(
  options: ChurnOptions & {
    /** Pause of each worker between two actions, at most. */
    thinkMs: number;
  },
): Churn {
  const context = createChurnContext(options);
  const { desired, problems, pick, random } = context;
  const pods = podActions(context);
  const workloads = workloadActions(context);
  const replicas = replicaActions(context);
  const counts: Record<string, number> = {};
  let pausing = new AbortController();
  let running: Promise<unknown> = Promise.resolve();

  /** How often of 37. */
  const weights: readonly [number, string, Action][] = [
    [12, 'create pod', pods.create],
    [8, 'delete pod', pods.remove],
    [2, 'label pod', pods.label],
    [1, 'update configmap', workloads.updateSettings],
    [2, 'roll deployment', workloads.roll],
    [3, 'scale deployment', workloads.scale],
    [1, 'create service', workloads.createService],
    [1, 'delete service', workloads.deleteService],
    [2, 'exec', replicas.exec],
    [1, 'crash', replicas.crash],
    [1, 'read log', replicas.readLog],
    [2, 'delete replica', replicas.remove],
    [1, 'delete owned', replicas.removeOwned],
  ];
  const lots = weights.flatMap(([weight, ...action]) =>
    Array.from({ length: weight }, () => action),
  );
  const work = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const [name, action] = pick(lots) ?? lots[0]!;
      try {
        if (await action()) counts[name] = (counts[name] ?? 0) + 1;
      } catch (error) {
        problems.push(messageOf(error));
      }
      await systemClock.sleep(random.integer(options.thinkMs));
    }
  };
  return {
    problems,
    counts: () => counts,
    async fill(count) {
      await workloads.prepare(count);
      while (wantedCount(desired) < count && (await pods.create()));
    },
    forget() {
      for (const wanted of Object.values(desired)) wanted.clear();
    },
    resume() {
      pausing = new AbortController();
      const { signal } = pausing;
      running = Promise.all(Array.from({ length: workers }, () => work(signal)));
    },
    async pause() {
      pausing.abort();
      await running;
    },
  };
}
