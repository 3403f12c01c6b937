import type { Percentiles } from './latency.ts';
import type { Sizes } from './memory.ts';

/** What a soak is asked to do. */
export interface SoakPlan {
  /** As many pods as there may be at a time. */
  readonly pods: number;
  /** How long to churn before anything is killed. */
  readonly seconds: number;
  /** How often something is killed afterwards, in the middle of churn. */
  readonly faults: number;
  readonly seed: number;
  /** Longest pause between two actions of one of four workers. */
  readonly thinkMs: number;
  /** How long memory may take to come down; 0 leaves it out of the judgement. */
  readonly settleSeconds: number;
}

export interface SoakReport {
  /** Everything that is wrong; a good run has none. */
  readonly problems: readonly string[];
  readonly actions: Readonly<Record<string, number>>;
  readonly unanswered: number;
  readonly start: Percentiles;
  readonly end: Percentiles;
  /** From the kill, or from the end of the churn, until all was as wanted. */
  readonly convergedMs: readonly number[];
  /** Before, with all pods, and after. */
  readonly sizes: { readonly base: Sizes; readonly full: Sizes; readonly after: Sizes };
}

/** A line of the program on the machine. */
export type SoakMessage =
  | { readonly progress: string }
  /** The server was killed and is to be started again. */
  | { readonly restart: true }
  | { readonly report: SoakReport };
