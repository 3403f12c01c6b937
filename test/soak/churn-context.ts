import type { Random } from '#base/random.ts';
import type { Desired } from './desired.ts';
import type { SoakApi } from './soak-api.ts';

/** What all actions share. */
export interface ChurnContext {
  readonly api: SoakApi;
  readonly desired: Desired;
  readonly random: Random;
  /** As many pods as there may be. */
  readonly podCount: number;
  /** What went wrong in a way that no killed process explains. */
  readonly problems: string[];
  onCreated(name: string): void;
  onDeleted(name: string): void;
  /** A number that was not used before. */
  next(): number;
  pick<T>(items: readonly T[]): T | undefined;
  /** One of these that no action is at work on. */
  idle(names: Iterable<string>): string | undefined;
  /** Keeps other actions away from an object for as long as the work goes on. */
  hold(name: string, work: () => Promise<void>): Promise<true>;
}

/** An action answers false when there was nothing to do it to. */
export type Action = () => Promise<boolean>;

export type ChurnOptions = Pick<
  ChurnContext,
  'api' | 'desired' | 'random' | 'podCount' | 'onCreated' | 'onDeleted'
>;

export function createChurnContext(options: ChurnOptions): ChurnContext {
  const { random } = options;
  const busy = new Set<string>();
  let sequence = 0;
  const pick = <T>(items: readonly T[]): T | undefined => items[random.integer(items.length)];
  return {
    ...options,
    problems: [],
    next: () => (sequence += 1),
    pick,
    idle: (names) => pick([...names].filter((name) => !busy.has(name))),
    async hold(name, work) {
      busy.add(name);
      try {
        await work();
      } finally {
        busy.delete(name);
      }
      return true;
    },
  };
}
