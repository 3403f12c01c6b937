import type { Counter, HistogramSeries, MetricRegistry, NumberMetric } from '#base/metrics.ts';

import type { RequestInfo } from '../request.ts';

/** Upper bounds of the histograms, as upstream. */
const secondsBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
const sliBuckets = secondsBuckets.slice(2);
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

const placeLabels = ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'];

const metricVerbs: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};

const connectSubresources: ReadonlySet<string> = new Set([
  'exec',
  'attach',
  'portforward',
  'proxy',
]);

/** Series of one sort of request, found by one look-up for each request. */
interface Series {
  readonly byCode: Map<number, Counter>;
  readonly seconds: HistogramSeries;
  readonly sli: HistogramSeries;
  /** Reads only, as upstream. */
  readonly sizes: HistogramSeries | undefined;
  /** Made for requests that are long-running alone. */
  readonly longRunning: () => Counter;
  /** Values of the labels of apiserver_request_total but for the code. */
  readonly labels: readonly string[];
}

/** What a request was sent with that its metrics show. */
export interface MeasuredRequest {
  readonly info: RequestInfo;
  readonly query: string;
  readonly contentType?: string | undefined;
}

/** Counts, times and sizes of API requests under upstream's metric names. */
export class RequestMetrics {
  readonly #series = new Map<string, Series>();
  readonly #totals: NumberMetric;
  readonly #terminations: NumberMetric;
  readonly #make: (labels: readonly string[]) => Omit<Series, 'byCode' | 'labels'>;

  constructor(registry: MetricRegistry) {
    const withDryRun = ['component', 'dry_run', ...placeLabels.slice(1)];
    this.#totals = registry.counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, dry run, resource, scope and HTTP code.',
      stability: 'STABLE',
      labels: ['code', ...withDryRun],
    });
    this.#terminations = registry.counter({
      name: 'apiserver_request_terminations_total',
      help: 'Requests that the server ended to protect itself, by code and what they asked for.',
      stability: 'ALPHA',
      labels: ['code', ...placeLabels],
    });
    const seconds = registry.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from arrival to answer in seconds.',
      stability: 'STABLE',
      labels: withDryRun,
      buckets: secondsBuckets,
    });
    const sli = registry.histogram({
      name: 'apiserver_request_sli_duration_seconds',
      help: 'Time from arrival to answer in seconds, without webhooks and waits in queues.',
      stability: 'ALPHA',
      labels: placeLabels,
      buckets: sliBuckets,
    });
    const sizes = registry.histogram({
      name: 'apiserver_response_sizes',
      help: 'Size of answers in bytes.',
      stability: 'STABLE',
      labels: placeLabels,
      buckets: sizeBuckets,
    });
    const longRunning = registry.gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches and connections that are open.',
      stability: 'STABLE',
      labels: placeLabels,
    });
    this.#make = (labels) => {
      const place = labels.filter((_, i) => i !== 1);
      const isRead = place[5] === 'GET' || place[5] === 'LIST';
      return {
        seconds: seconds.with(...labels),
        sli: sli.with(...place),
        sizes: isRead ? sizes.with(...place) : undefined,
        longRunning: () => longRunning.with(...place),
      };
    };
  }

  /** `sentBytes` is undefined for answers that are not sent. */
  observe(
    request: MeasuredRequest,
    status: number,
    seconds: number,
    sentBytes: number | undefined,
  ): void {
    if (!request.info.isResourceRequest) return;
    const series = this.#of(request);
    this.#count(series, status);
    series.seconds.observe(seconds);
    series.sli.observe(seconds);
    if (sentBytes !== undefined) series.sizes?.observe(sentBytes);
  }

  /** Counts a request that was refused before it reached its resource. */
  count(request: MeasuredRequest, status: number): void {
    if (request.info.isResourceRequest) this.#count(this.#of(request), status);
  }

  /** The server ended a request to protect itself: it was too busy, or the request took too long. */
  terminated(request: MeasuredRequest, status: number): void {
    if (!request.info.isResourceRequest) return;
    const place = this.#of(request).labels.filter((_, index) => index !== 1);
    this.#terminations.with(String(status), ...place).value++;
  }

  /** A watch or connection begins; the result is called when it ends. */
  longRunning(request: MeasuredRequest): () => void {
    const gauge = this.#of(request).longRunning();
    gauge.value++;
    return () => void gauge.value--;
  }

  #count(series: Series, status: number): void {
    let counter = series.byCode.get(status);
    if (counter === undefined) {
      counter = this.#totals.with(String(status), ...series.labels);
      series.byCode.set(status, counter);
    }
    counter.value++;
  }

  #of({ info, query, contentType }: MeasuredRequest): Series {
    const { group, version, resource, subresource, verb, namespace, name } = info;
    const scope =
      name !== '' || verb === 'create' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster';
    const isDryRun = query !== '' && query.includes('dryRun=All');
    const isApply = verb === 'patch' && contentType?.startsWith('application/apply-patch') === true;
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope} ${isDryRun ? 1 : 0}${isApply ? 1 : 0}`;
    let series = this.#series.get(key);
    if (series !== undefined) return series;
    const shownVerb = connectSubresources.has(subresource)
      ? 'CONNECT'
      : isApply
        ? 'APPLY'
        : (metricVerbs[verb] ?? verb.toUpperCase());
    const dryRun = isDryRun ? 'All' : '';
    const labels = ['apiserver', dryRun, group, resource, scope, subresource, shownVerb, version];
    series = { byCode: new Map(), labels, ...this.#make(labels) };
    this.#series.set(key, series);
    return series;
  }
}
