import type { RequestInfo } from '../request.ts';

/** Upper bounds of apiserver_request_duration_seconds, as upstream. */
const bucketsSeconds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

interface Series {
  labels: string;
  buckets: Uint32Array;
  sum: number;
  count: number;
  byCode: Map<number, number>;
}

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

/** Counts of API requests under upstream's metric names. */
export class RequestMetrics {
  readonly #series = new Map<string, Series>();

  observe(info: RequestInfo, status: number, seconds: number): void {
    if (!info.isResourceRequest) return;
    const series = this.#of(info);
    series.byCode.set(status, (series.byCode.get(status) ?? 0) + 1);
    if (info.verb === 'watch') return;
    series.count++;
    series.sum += seconds;
    let bucket = 0;
    while (bucket < bucketsSeconds.length && seconds > (bucketsSeconds[bucket] as number)) bucket++;
    series.buckets[bucket] = (series.buckets[bucket] as number) + 1;
  }

  /** The counters and histograms in the text form of Prometheus. */
  render(): string {
    const totals = [
      '# HELP apiserver_request_total [STABLE] Requests by verb, resource and code.',
      '# TYPE apiserver_request_total counter',
    ];
    const durations = [
      '# HELP apiserver_request_duration_seconds [STABLE] Time from arrival to answer.',
      '# TYPE apiserver_request_duration_seconds histogram',
    ];
    for (const { labels, byCode, buckets, sum, count } of this.#series.values()) {
      for (const [code, value] of byCode) {
        totals.push(`apiserver_request_total{code="${code}",${labels}} ${value}`);
      }
      if (count === 0) continue;
      const name = 'apiserver_request_duration_seconds';
      let seen = 0;
      bucketsSeconds.forEach((bound, i) => {
        seen += buckets[i] as number;
        durations.push(`${name}_bucket{${labels},le="${bound}"} ${seen}`);
      });
      durations.push(`${name}_bucket{${labels},le="+Inf"} ${count}`);
      durations.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`);
    }
    return `${[...totals, ...durations].join('\n')}\n`;
  }

  #of(info: RequestInfo): Series {
    const { group, version, resource, subresource, verb, namespace, name } = info;
    const scope = name !== '' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster';
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope}`;
    let series = this.#series.get(key);
    if (series !== undefined) return series;
    const labels = `component="apiserver",dry_run="",group="${group}",resource="${resource}",scope="${scope}",subresource="${subresource}",verb="${metricVerbs[verb] ?? verb.toUpperCase()}",version="${version}"`;
    const buckets = new Uint32Array(bucketsSeconds.length + 1);
    series = { labels, buckets, sum: 0, count: 0, byCode: new Map() };
    this.#series.set(key, series);
    return series;
  }
}
