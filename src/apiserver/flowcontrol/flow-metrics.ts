import type { Counter, HistogramSeries, MetricRegistry } from '#base/metrics.ts';

import type { Flow } from './flow-state.ts';

const waitBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];

/** The numbers of one schema, found once for each change of the objects. */
interface FlowNumbers {
  readonly dispatched: Counter;
  readonly executing: Counter;
  readonly executingSeats: Counter;
  readonly waiting: Counter;
  readonly executedWait: HistogramSeries;
  readonly abandonedWait: HistogramSeries;
}

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled';

/** Upstream's metrics of flow control. */
export class FlowMetrics {
  readonly #byFlow = new WeakMap<Flow, FlowNumbers>();
  readonly #make: (flow: Flow) => FlowNumbers;
  readonly #reject: (flow: Flow, reason: RejectReason) => void;
  readonly #seats: (name: string) => Counter;
  readonly #current: (name: string) => Counter;

  constructor(registry: MetricRegistry) {
    const labels = ['flow_schema', 'priority_level'];
    const metric = (name: string, help: string, extra: string[] = []) => ({
      name: `apiserver_flowcontrol_${name}`,
      help,
      stability: 'BETA' as const,
      labels: [...extra, ...labels],
    });
    const dispatched = registry.counter(
      metric('dispatched_requests_total', 'Requests that flow control let pass.'),
    );
    const executing = registry.gauge(
      metric('current_executing_requests', 'Requests that are executing.'),
    );
    const seats = registry.gauge(
      metric('current_executing_seats', 'Seats of the requests that are executing.'),
    );
    const waiting = registry.gauge(
      metric('current_inqueue_requests', 'Requests that wait in a queue.'),
    );
    const waits = registry.histogram({
      ...metric('request_wait_duration_seconds', 'Time that requests wait in a queue.', [
        'execute',
      ]),
      buckets: waitBuckets,
    });
    const rejected = registry.counter({
      ...metric('rejected_requests_total', 'Requests that flow control refused.'),
      labels: [...labels, 'reason'],
    });
    const nominal = registry.gauge({
      name: 'apiserver_flowcontrol_nominal_limit_seats',
      help: 'Seats of a priority level by its shares.',
      stability: 'BETA',
      labels: ['priority_level'],
    });
    const current = registry.gauge({
      name: 'apiserver_flowcontrol_current_limit_seats',
      help: 'Seats of a priority level now, with what it lends or borrows.',
      stability: 'ALPHA',
      labels: ['priority_level'],
    });
    this.#make = ({ schema, level }) => ({
      dispatched: dispatched.with(schema.name, level.name),
      executing: executing.with(schema.name, level.name),
      executingSeats: seats.with(schema.name, level.name),
      waiting: waiting.with(schema.name, level.name),
      executedWait: waits.with('true', schema.name, level.name),
      abandonedWait: waits.with('false', schema.name, level.name),
    });
    this.#reject = ({ schema, level }, reason) => {
      rejected.with(schema.name, level.name, reason).value++;
    };
    this.#seats = (name) => nominal.with(name);
    this.#current = (name) => current.with(name);
  }

  of(flow: Flow): FlowNumbers {
    let numbers = this.#byFlow.get(flow);
    if (numbers === undefined) {
      numbers = this.#make(flow);
      this.#byFlow.set(flow, numbers);
    }
    return numbers;
  }

  reject(flow: Flow, reason: RejectReason): void {
    this.#reject(flow, reason);
  }

  showSeats(level: Flow['level']): void {
    this.#seats(level.name).value = level.nominalSeats;
    this.#current(level.name).value = level.currentSeats;
  }
}
