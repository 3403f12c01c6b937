import type { PriorityLevelConfiguration } from '#schema/types.ts';

import type { QueueLimits } from './fair-queues.ts';
import { FairQueues } from './fair-queues.ts';
import { RetryAfter } from './retry-after.ts';
import { SeatDemand } from './seat-demand.ts';

const defaultShares = 30;

/** What a PriorityLevelConfiguration says, with upstream's defaults. */
export interface LevelConfig {
  readonly name: string;
  readonly uid: string;
  readonly isExempt: boolean;
  readonly shares: number;
  readonly lendablePercent: number;
  readonly borrowingLimitPercent: number | undefined;
  readonly limits: QueueLimits;
}

export function readLevel({ metadata, spec }: PriorityLevelConfiguration): LevelConfig {
  const isExempt = spec?.type === 'Exempt';
  const limited = spec?.limited;
  const queuing = limited?.limitResponse?.queuing;
  const isQueuing = limited?.limitResponse?.type === 'Queue';
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    isExempt,
    shares: isExempt
      ? (spec.exempt?.nominalConcurrencyShares ?? 0)
      : (limited?.nominalConcurrencyShares ?? defaultShares),
    lendablePercent: (isExempt ? spec.exempt?.lendablePercent : limited?.lendablePercent) ?? 0,
    borrowingLimitPercent: limited?.borrowingLimitPercent,
    limits: isQueuing
      ? {
          queues: queuing?.queues ?? 64,
          handSize: queuing?.handSize ?? 8,
          queueLengthLimit: queuing?.queueLengthLimit ?? 50,
        }
      : { queues: 0, handSize: 0, queueLengthLimit: 0 },
  };
}

/** A priority level while the server runs; outlives its object as long as requests are in it. */
export class PriorityLevel {
  readonly name: string;
  config: LevelConfig;
  readonly queues: FairQueues;
  readonly demand: SeatDemand;
  readonly retryAfter = new RetryAfter();
  nominalSeats = 0;
  minSeats = 0;
  maxSeats = 0;
  currentSeats = 0;
  /** Most seats of one request; 0 for no limit of the level. */
  widestRequest = 0;
  dispatched = 0;
  rejected = 0;
  timedOut = 0;
  cancelled = 0;

  constructor(config: LevelConfig, nowMs: number) {
    this.name = config.name;
    this.config = config;
    this.queues = new FairQueues(config.limits, 0, nowMs);
    this.demand = new SeatDemand(nowMs);
  }

  /** New shares or queues: what was borrowed is given back until the next division. */
  configure(config: LevelConfig, nominal: number, totalSeats: number, nowMs: number): void {
    const lendable = Math.round((nominal * config.lendablePercent) / 100);
    const borrowing =
      config.borrowingLimitPercent === undefined
        ? totalSeats
        : Math.round((nominal * config.borrowingLimitPercent) / 100);
    const isUnchanged = this.nominalSeats === nominal && this.currentSeats > 0;
    this.config = config;
    this.nominalSeats = nominal;
    this.minSeats = nominal - lendable;
    this.maxSeats = nominal + borrowing;
    this.widestRequest = widest(config, nominal);
    this.setSeats(isUnchanged ? this.currentSeats : Math.max(nominal, 1), nowMs);
  }

  setSeats(seats: number, nowMs: number): void {
    this.currentSeats = seats;
    this.queues.configure(
      this.config.limits,
      this.config.isExempt ? Number.MAX_SAFE_INTEGER : seats,
      nowMs,
    );
  }
}

/** One request may take 15 % of the level, and no more than its queue's even share. */
function widest({ isExempt, limits }: LevelConfig, nominal: number): number {
  if (isExempt) return 0;
  const part = Math.ceil(nominal * 0.15);
  const share = limits.handSize > 0 ? Math.floor(nominal / limits.handSize) : part;
  return Math.max(1, Math.min(part, share));
}
