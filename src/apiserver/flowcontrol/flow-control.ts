import type { Clock, Timer } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '#schema/types.ts';

import { TooBusyError } from '../api-errors.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import type { FairRequest } from './fair-queues.ts';
import { maxSeatsOf } from './fair-queues.ts';
import type { RejectReason } from './flow-metrics.ts';
import { FlowMetrics } from './flow-metrics.ts';
import type { Flow } from './flow-state.ts';
import { FlowState, handOf } from './flow-state.ts';
import type { WorkEstimate } from './work-estimate.ts';
import { estimateWork } from './work-estimate.ts';

const divideEveryMs = 10_000;
const maxWaitMs = 60_000;
const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options']);

const group = 'flowcontrol.apiserver.k8s.io';
export const flowSchemas = { group, version: 'v1', resource: 'flowschemas' } as const;
export const priorityLevels = {
  group,
  version: 'v1',
  resource: 'prioritylevelconfigurations',
} as const;

export interface FlowControlOptions {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly metrics: MetricRegistry;
  /** Seats of the whole server: both in-flight limits together. */
  readonly totalSeats: number;
}

/** A request under flow control; `release` is called once, when it needs its seats no more. */
export interface FlowTicket {
  release(): void;
}

/** A request that is in a level, for the dumps. */
export interface FlowEntry extends FlowTicket {
  readonly flow: Flow;
  readonly context: RequestContext;
  readonly distinguisher: string;
  readonly request: FairRequest;
  readonly arrivedMs: number;
}

/**
 * API priority and fairness: sorts requests into flows, gives each priority level its seats and
 * lets what finds none wait in fair queues, or refuses it with 429. Follows FlowSchemas and
 * PriorityLevelConfigurations; owns a timer until `close`.
 */
export class FlowControl {
  readonly #options: FlowControlOptions;
  readonly #state: FlowState;
  readonly #metrics: FlowMetrics;
  readonly #entries = new Set<FlowEntry>();
  readonly #removers: (() => void)[];
  #isStale = false;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: FlowControlOptions) {
    this.#options = options;
    const { clock, reader, totalSeats } = options;
    this.#state = new FlowState(totalSeats, clock.monotonicMs());
    this.#metrics = new FlowMetrics(options.metrics);
    const invalidate = (): void => {
      this.#isStale = true;
    };
    this.#removers = [
      reader.onChange<FlowSchema>(flowSchemas, invalidate),
      reader.onChange<PriorityLevelConfiguration>(priorityLevels, invalidate),
    ];
    options.metrics.onCollect(() => {
      for (const level of this.state.levels) this.#metrics.showSeats(level);
    });
  }

  /** The objects in force. */
  get state(): FlowState {
    if (this.#isStale) this.#reload();
    return this.#state;
  }

  /** Requests that execute, by what they do. */
  get current(): { readOnly: number; mutating: number } {
    let readOnly = 0;
    let mutating = 0;
    for (const { request, context } of this.#entries) {
      if (request.isWaiting) continue;
      if (readVerbs.has(context.info.verb)) readOnly++;
      else mutating++;
    }
    return { readOnly, mutating };
  }

  /** Requests that wait or execute. */
  get entries(): Iterable<FlowEntry> {
    return this.#entries;
  }

  /**
   * Lets a request in: at once when its level has seats, else a promise that waits for them. Throws
   * or rejects with 429. The answer names schema and level in its headers either way.
   */
  enter(
    context: RequestContext,
    served: ServedResource | undefined,
    timeoutMs: number,
  ): FlowTicket | Promise<FlowTicket> {
    const flow = this.state.classify(context.user, context.info);
    const { level } = flow;
    context.trail?.addHeaders(flow.headers);
    const nowMs = this.#options.clock.monotonicMs();
    const work = estimateWork(context, served, level.widestRequest);
    const entry = new Entry(this, flow, context, work, nowMs);
    const { request } = entry;
    level.demand.add(maxSeatsOf(work), nowMs);
    if (this.#timer === undefined && !this.#isClosed) this.#divideLater();
    this.#entries.add(entry);
    if (level.config.limits.queues === 0) {
      if (!level.queues.enterUnqueued(request, nowMs)) this.#refuse(entry, 'concurrency-limit');
    } else {
      request.onDispatch = () => entry.wait?.resolve(entry);
      const hand = handOf(flow, entry.distinguisher);
      if (!level.queues.enter(request, hand, nowMs)) this.#refuse(entry, 'queue-full');
    }
    if (!request.isWaiting) {
      this.#started(entry, nowMs);
      return entry;
    }
    // a watch has no time limit of its own: it waits as long as may be
    entry.wait = Promise.withResolvers<FlowTicket>();
    return this.#waited(entry, entry.wait, timeoutMs);
  }

  /** Called by an entry; not for others. */
  finish(entry: FlowEntry): void {
    const { flow, request } = entry;
    const { level } = flow;
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const seats = maxSeatsOf(request);
    const numbers = this.#metrics.of(flow);
    numbers.executing.value--;
    numbers.executingSeats.value -= seats;
    this.#entries.delete(entry);
    if (!level.queues.finish(request, nowMs)) {
      level.demand.add(-seats, nowMs);
      return;
    }
    level.demand.add(request.finalSeats - seats, nowMs);
    clock.after(request.extraMs, () => {
      const laterMs = clock.monotonicMs();
      level.queues.releaseFinal(request, laterMs);
      level.demand.add(-request.finalSeats, laterMs);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const remove of this.#removers) remove();
  }

  async #waited(
    entry: FlowEntry,
    wait: PromiseWithResolvers<FlowTicket>,
    timeoutMs: number,
  ): Promise<FlowTicket> {
    const { clock } = this.#options;
    const { flow, context, request } = entry;
    const numbers = this.#metrics.of(flow);
    numbers.waiting.value++;
    const giveUp = (reason: RejectReason): void => {
      if (!request.isWaiting) return;
      const nowMs = clock.monotonicMs();
      flow.level.queues.leave(request, nowMs);
      numbers.abandonedWait.observe((nowMs - entry.arrivedMs) / 1000);
      try {
        this.#refuse(entry, reason);
      } catch (error) {
        wait.reject(error);
      }
    };
    const waitMs = timeoutMs > 0 ? Math.min(timeoutMs / 4, maxWaitMs) : maxWaitMs;
    const timer = clock.after(waitMs, () => giveUp('time-out'));
    const cancel = (): void => giveUp('cancelled');
    context.signal.addEventListener('abort', cancel, { once: true });
    try {
      await wait.promise;
    } finally {
      numbers.waiting.value--;
      timer.cancel();
      context.signal.removeEventListener('abort', cancel);
    }
    this.#started(entry, clock.monotonicMs());
    return entry;
  }

  #started({ flow, request, arrivedMs }: FlowEntry, nowMs: number): void {
    const numbers = this.#metrics.of(flow);
    flow.level.dispatched++;
    numbers.dispatched.value++;
    numbers.executing.value++;
    numbers.executingSeats.value += maxSeatsOf(request);
    numbers.executedWait.observe((nowMs - arrivedMs) / 1000);
  }

  #refuse(entry: FlowEntry, reason: RejectReason): never {
    const { flow, request } = entry;
    const { level } = flow;
    const nowMs = this.#options.clock.monotonicMs();
    this.#entries.delete(entry);
    level.demand.add(-maxSeatsOf(request), nowMs);
    if (reason === 'time-out') level.timedOut++;
    else if (reason === 'cancelled') level.cancelled++;
    else level.rejected++;
    this.#metrics.reject(flow, reason);
    throw new TooBusyError(level.retryAfter.refuse(nowMs));
  }

  #reload(): void {
    this.#isStale = false;
    const { reader, clock } = this.#options;
    this.#state.replace(
      reader.list<FlowSchema>(flowSchemas),
      reader.list<PriorityLevelConfiguration>(priorityLevels),
      clock.monotonicMs(),
    );
  }

  /** Seats are divided again while there are requests, and once more after the last. */
  #divideLater(): void {
    const { clock } = this.#options;
    this.#timer = clock.after(divideEveryMs, () => {
      this.#timer = undefined;
      if (this.#isClosed) return;
      this.state.divide(clock.monotonicMs());
      if (this.#entries.size > 0) this.#divideLater();
    });
  }
}

class Entry implements FlowEntry {
  readonly flow: Flow;
  readonly context: RequestContext;
  readonly request: FairRequest;
  readonly arrivedMs: number;
  /** Made when it has to wait. */
  wait: PromiseWithResolvers<FlowTicket> | undefined;
  readonly #owner: FlowControl;
  #isReleased = false;

  constructor(
    owner: FlowControl,
    flow: Flow,
    context: RequestContext,
    { initialSeats, finalSeats, extraMs }: WorkEstimate,
    nowMs: number,
  ) {
    this.#owner = owner;
    this.flow = flow;
    this.context = context;
    this.arrivedMs = nowMs;
    this.request = {
      initialSeats,
      finalSeats,
      extraMs,
      queue: undefined,
      arrival: 0,
      startMs: nowMs,
      isWaiting: false,
      onDispatch: () => undefined,
    };
  }

  get distinguisher(): string {
    const { distinguisher } = this.flow.schema;
    if (distinguisher === undefined) return '';
    const { user, info } = this.context;
    return distinguisher === 'ByUser' ? user.name : info.namespace;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#owner.finish(this);
  }
}
