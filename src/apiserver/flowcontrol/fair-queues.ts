import type { WorkEstimate } from './work-estimate.ts';

/** Guess of how long a request takes; corrected when it ends. */
const estimatedServiceMs = 3;

export interface QueueLimits {
  /** 0: nothing waits, what finds no seat is refused. */
  readonly queues: number;
  readonly handSize: number;
  readonly queueLengthLimit: number;
}

/** A request in a level: waiting, executing, or (after `finish`) only holding its final seats. */
export interface FairRequest extends WorkEstimate {
  queue: FairQueue | undefined;
  /** Virtual time of its arrival. */
  arrival: number;
  startMs: number;
  isWaiting: boolean;
  /** Called when it may run; not for requests that run at once. */
  onDispatch: () => void;
}

/** The requests of the flows that were dealt to this queue, first come first served. */
export class FairQueue {
  readonly index: number;
  readonly waiting: FairRequest[] = [];
  executing = 0;
  seatsInUse = 0;
  waitingSeats = 0;
  waitingMaxSeats = 0;
  waitingWork = 0;
  /** Virtual time at which the next request would start if it had the queue's share for itself. */
  nextDispatch = 0;

  constructor(index: number) {
    this.index = index;
  }

  get isActive(): boolean {
    return this.waiting.length > 0 || this.executing > 0;
  }
}

/**
 * Fair queuing of one priority level by upstream's algorithm: seats are given to the queue whose
 * next request would end first in a virtual time in which all queues progress evenly. A request
 * wider than what is free waits, and holds back the others of the level. Pure: time comes in.
 */
export class FairQueues {
  #limits: QueueLimits;
  #seatLimit: number;
  #queues: FairQueue[] = [];
  #active = new Set<FairQueue>();
  #seatsRequested = 0;
  #virtual = 0;
  #lastMs: number;
  #turn = 0;
  #totalWaiting = 0;
  #totalExecuting = 0;
  #totalSeats = 0;

  constructor(limits: QueueLimits, seatLimit: number, nowMs: number) {
    this.#limits = limits;
    this.#seatLimit = seatLimit;
    this.#lastMs = nowMs;
    this.#resize();
  }

  get waiting(): number {
    return this.#totalWaiting;
  }

  get executing(): number {
    return this.#totalExecuting;
  }

  get seatsInUse(): number {
    return this.#totalSeats;
  }

  get activeQueues(): number {
    return this.#active.size;
  }

  get queues(): readonly FairQueue[] {
    return this.#queues;
  }

  get seatLimit(): number {
    return this.#seatLimit;
  }

  configure(limits: QueueLimits, seatLimit: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#limits = limits;
    this.#seatLimit = seatLimit;
    this.#resize();
    this.dispatch(nowMs);
  }

  /** Takes a request of a level without queues; false: there is no seat for it. */
  enterUnqueued(request: FairRequest, nowMs: number): boolean {
    if (!this.#fits(maxSeatsOf(request))) return false;
    this.#start(request, nowMs);
    return true;
  }

  /** Takes a request of the flow that was dealt `hand`; false: its queue is full. */
  enter(request: FairRequest, hand: readonly number[], nowMs: number): boolean {
    this.#advance(nowMs);
    const queue = this.#choose(hand);
    const isFull = queue.waiting.length >= this.#limits.queueLengthLimit;
    if (isFull && this.#totalExecuting >= this.#seatLimit) return false;
    if (!queue.isActive) queue.nextDispatch = this.#virtual;
    request.queue = queue;
    request.arrival = this.#virtual;
    request.isWaiting = true;
    queue.waiting.push(request);
    this.#countWaiting(queue, request, 1);
    this.#active.add(queue);
    this.dispatch(nowMs);
    return true;
  }

  /** Takes a request that gave up out of its queue. */
  leave(request: FairRequest, nowMs: number): void {
    const { queue } = request;
    if (!request.isWaiting || queue === undefined) return;
    this.#advance(nowMs);
    const at = queue.waiting.indexOf(request);
    queue.waiting.splice(at, 1);
    request.isWaiting = false;
    this.#countWaiting(queue, request, -1);
    this.#settle(queue);
    this.dispatch(nowMs);
  }

  /** The answer is out. True: its final seats stay taken until `releaseFinal` is called. */
  finish(request: FairRequest, nowMs: number): boolean {
    this.#advance(nowMs);
    const { queue } = request;
    const seats = maxSeatsOf(request);
    const kept = request.extraMs > 0 ? request.finalSeats : 0;
    this.#totalExecuting--;
    this.#useSeats(queue, kept - seats);
    if (queue !== undefined) {
      queue.executing--;
      const actual = request.initialSeats * (nowMs - request.startMs);
      const guessed = request.initialSeats * estimatedServiceMs;
      queue.nextDispatch -= (guessed - actual) / 1000;
      if (kept === 0) this.#settle(queue);
    }
    this.dispatch(nowMs);
    return kept > 0;
  }

  releaseFinal(request: FairRequest, nowMs: number): void {
    this.#advance(nowMs);
    this.#useSeats(request.queue, -request.finalSeats);
    if (request.queue !== undefined) this.#settle(request.queue);
    this.dispatch(nowMs);
  }

  /** Starts what may start. */
  dispatch(nowMs: number): void {
    while (this.#totalWaiting > 0) {
      const queue = this.#pick();
      const request = queue?.waiting[0];
      if (queue === undefined || request === undefined) return;
      if (!this.#fits(maxSeatsOf(request))) return;
      queue.waiting.shift();
      request.isWaiting = false;
      this.#countWaiting(queue, request, -1);
      this.#turn = queue.index;
      queue.nextDispatch += workOf(request);
      this.#boundNextDispatch(queue);
      this.#start(request, nowMs);
      request.onDispatch();
    }
  }

  #start(request: FairRequest, nowMs: number): void {
    request.startMs = nowMs;
    this.#totalExecuting++;
    if (request.queue !== undefined) request.queue.executing++;
    this.#useSeats(request.queue, maxSeatsOf(request));
  }

  #fits(seats: number): boolean {
    if (seats > this.#seatLimit) return this.#totalExecuting === 0;
    return this.#totalSeats + seats <= this.#seatLimit;
  }

  /** The queue whose first request ends first; after the one served last, so that equals take turns. */
  #pick(): FairQueue | undefined {
    let best: FairQueue | undefined;
    let bestFinish = Infinity;
    let bestTurn = Infinity;
    const count = this.#queues.length;
    for (const queue of this.#active) {
      const [first] = queue.waiting;
      if (first === undefined) continue;
      const finish = queue.nextDispatch + workOf(first);
      const turn = (queue.index - this.#turn - 1 + count) % count;
      if (finish < bestFinish || (finish === bestFinish && turn < bestTurn)) {
        best = queue;
        bestFinish = finish;
        bestTurn = turn;
      }
    }
    return best;
  }

  #choose(hand: readonly number[]): FairQueue {
    let best: FairQueue | undefined;
    let least = Infinity;
    for (const index of hand) {
      const queue = this.#queues[index] as FairQueue;
      const seats = queue.waitingSeats + queue.seatsInUse;
      if (seats < least) {
        best = queue;
        least = seats;
      }
    }
    return best as FairQueue;
  }

  /** A queue that could not use its share does not save it up: no start before the arrival. */
  #boundNextDispatch(queue: FairQueue): void {
    const [first] = queue.waiting;
    if (first !== undefined && queue.nextDispatch < first.arrival) {
      queue.nextDispatch = first.arrival;
    }
  }

  /** Virtual time goes on by the share of seats that each active queue could use. */
  #advance(nowMs: number): void {
    const passedMs = nowMs - this.#lastMs;
    if (passedMs <= 0) return;
    this.#lastMs = nowMs;
    const active = this.#active.size;
    if (active === 0) return;
    const rate = Math.min(this.#seatsRequested, this.#seatLimit) / active;
    this.#virtual += (rate * passedMs) / 1000;
  }

  #countWaiting(queue: FairQueue, request: FairRequest, by: 1 | -1): void {
    const seats = maxSeatsOf(request);
    queue.waitingSeats += by * request.initialSeats;
    queue.waitingMaxSeats += by * seats;
    queue.waitingWork += by * workOf(request);
    this.#seatsRequested += by * seats;
    this.#totalWaiting += by;
  }

  #useSeats(queue: FairQueue | undefined, seats: number): void {
    this.#totalSeats += seats;
    if (queue === undefined) return;
    queue.seatsInUse += seats;
    this.#seatsRequested += seats;
  }

  #settle(queue: FairQueue): void {
    if (queue.isActive) {
      this.#boundNextDispatch(queue);
      return;
    }
    this.#active.delete(queue);
    queue.waitingWork = 0;
    if (this.#active.size === 0) this.#dropSurplus();
  }

  /** Queues that new flows no longer get stay until they are empty. */
  #resize(): void {
    while (this.#queues.length < this.#limits.queues) {
      this.#queues.push(new FairQueue(this.#queues.length));
    }
    this.#dropSurplus();
  }

  #dropSurplus(): void {
    while (this.#queues.length > this.#limits.queues && this.#queues.at(-1)?.isActive === false) {
      this.#queues.pop();
    }
  }
}

/** Seats that must be free for the request to start. */
export function maxSeatsOf(work: WorkEstimate): number {
  return Math.max(work.initialSeats, work.finalSeats);
}

/** Seat-seconds that the request is expected to take. */
function workOf({ initialSeats, finalSeats, extraMs }: WorkEstimate): number {
  return (initialSeats * estimatedServiceMs + finalSeats * extraMs) / 1000;
}
