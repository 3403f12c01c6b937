import { ApiStatusError } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { milliValue, parseQuantity, roundUpQuantity } from '#base/quantity.ts';
import type { Client } from '#client/mod.ts';

/** A pod's value, in thousandths. */
export interface PodMetric {
  readonly value: number;
  /** End and length of the time it was measured over. */
  readonly atMs: number;
  readonly windowMs: number;
}

/** By the pod's name. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** Values in thousandths; throws K3tsError with upstream's text when there are none. */
export interface MetricsClient {
  /** Sums of pods' containers, or what one container of each uses. */
  resource(query: {
    resource: string;
    namespace: string;
    selector: string;
    container?: string | undefined;
  }): Promise<PodMetrics>;
  /** A custom metric of pods. */
  pods(query: {
    metric: string;
    namespace: string;
    selector: string;
    metricSelector: string;
  }): Promise<PodMetrics>;
  /** A custom metric of one object; `resource` is `plural[.group]`. */
  object(query: {
    metric: string;
    namespace: string;
    resource: string;
    name: string;
    metricSelector: string;
  }): Promise<number>;
  external(query: { metric: string; namespace: string; selector: string }): Promise<number[]>;
}

interface ResourceItem {
  readonly metadata: { readonly name: string };
  readonly timestamp: string;
  readonly window: string;
  readonly containers?: readonly {
    readonly name: string;
    readonly usage?: Readonly<Record<string, string>>;
  }[];
}

interface CustomItem {
  readonly describedObject?: { readonly name?: string };
  readonly value: string;
  readonly timestamp?: string;
  readonly windowSeconds?: number | null;
}

const defaultWindowMs = 60_000;

/** Reads the three metrics APIs through the API server, whoever serves them. */
export function createMetricsClient(client: Client): MetricsClient {
  const ask = async <Item>(api: string, path: string, query: object): Promise<readonly Item[]> => {
    const text = new URLSearchParams(
      Object.entries(query).filter(([, value]) => value !== ''),
    ).toString();
    try {
      const target = text === '' ? path : `${path}?${text}`;
      const { status, body } = await client.raw({ method: 'GET', path: target });
      if (status !== 200) throw failureOf(status, body.toString(), path);
      return (JSON.parse(body.toString()) as { items?: Item[] }).items ?? [];
    } catch (error) {
      const message = `unable to fetch metrics from ${api} metrics API: ${messageOf(error)}`;
      throw new K3tsError('MetricsUnavailable', message, { cause: error });
    }
  };
  const some = <Item>(api: string, items: readonly Item[]): readonly Item[] => {
    if (items.length > 0) return items;
    throw new K3tsError('NoMetrics', `no metrics returned from ${api} metrics API`);
  };
  /** Adapters serve one of two versions, which look the same here. */
  const askCustom = async (path: string, query: object): Promise<readonly CustomItem[]> => {
    const root = '/apis/custom.metrics.k8s.io';
    try {
      return await ask<CustomItem>('custom', `${root}/v1beta2/namespaces/${path}`, query);
    } catch (error) {
      const old = await ask<CustomItem>(
        'custom',
        `${root}/v1beta1/namespaces/${path}`,
        query,
      ).catch(() => undefined);
      if (old === undefined) throw error;
      return old;
    }
  };

  return {
    async resource({ resource, namespace, selector, container }) {
      const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`;
      const found = await ask<ResourceItem>('resource', path, { labelSelector: selector });
      return resourceValues(some('resource', found), { resource, namespace, container });
    },
    async pods({ metric, namespace, selector, metricSelector }) {
      const path = `${namespace}/pods/*/${encodeURIComponent(metric)}`;
      const query = { labelSelector: selector, metricLabelSelector: metricSelector };
      const items = some('custom', await askCustom(path, query));
      return new Map(
        items.map(({ describedObject, value, timestamp = '', windowSeconds }) => {
          const windowMs =
            typeof windowSeconds !== 'number' ? defaultWindowMs : windowSeconds * 1000;
          const atMs = Date.parse(timestamp);
          return [describedObject?.name ?? '', { value: milliOf(value), atMs, windowMs }];
        }),
      );
    },
    async object({ metric, namespace, resource, name, metricSelector }) {
      const of = `${encodeURIComponent(resource)}/${encodeURIComponent(name)}`;
      const place =
        resource === 'namespaces' ? `${encodeURIComponent(name)}/metrics` : `${namespace}/${of}`;
      const path = `${place}/${encodeURIComponent(metric)}`;
      const query = { metricLabelSelector: metricSelector };
      const [first] = some('custom', await askCustom(path, query));
      return milliOf(first?.value ?? '0');
    },
    async external({ metric, namespace, selector }) {
      const root = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}`;
      const path = `${root}/${encodeURIComponent(metric)}`;
      const found = await ask<CustomItem>('external', path, { labelSelector: selector });
      return some('external', found).map(({ value }) => milliOf(value));
    },
  };
}

function resourceValues(
  items: readonly ResourceItem[],
  of: { resource: string; namespace: string; container?: string | undefined },
): PodMetrics {
  const values = new Map<string, PodMetric>();
  for (const { metadata, timestamp, window, containers = [] } of items) {
    const meant = containers.filter(
      ({ name }) => of.container === undefined || name === of.container,
    );
    if (meant.length === 0 && of.container !== undefined) {
      const text = `container ${of.container} not present in metrics for pod ${of.namespace}/${metadata.name}`;
      throw new K3tsError('NoMetrics', text);
    }
    const amounts = meant.map(({ usage }) => usage?.[of.resource]);
    // A pod of which one container is not measured counts as not measured.
    if (amounts.length === 0 || amounts.includes(undefined)) continue;
    const value = amounts.reduce((sum, text) => sum + milliOf(text ?? '0'), 0);
    values.set(metadata.name, { value, atMs: Date.parse(timestamp), windowMs: goMs(window) });
  }
  return values;
}

/** Thousandths, rounded up; exact far beyond what any machine has. */
export function milliOf(text: string): number {
  return milliValue(roundUpQuantity(parseQuantity(text), -3));
}

/** The seconds and minutes of Go's duration text that windows have. */
function goMs(text: string): number {
  let totalMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s)/g)) {
    totalMs += Number(amount) * ({ h: 3_600_000, m: 60_000, s: 1000, ms: 1 }[unit] ?? 0);
  }
  return totalMs;
}

/** An answer that is no Status has the text that client-go makes of its code. */
function failureOf(httpCode: number, body: string, path: string): Error {
  try {
    const status = JSON.parse(body) as { kind?: string; message?: string };
    if (status.kind === 'Status') return ApiStatusError.fromStatus(status as object, httpCode);
  } catch {
    // plain text
  }
  const [, , group = '', , , , resource = ''] = path.split('/');
  const target = `(get ${resource}.${group})`;
  const text =
    httpCode === 404
      ? `the server could not find the requested resource ${target}`
      : httpCode === 503
        ? `the server is currently unable to handle the request ${target}`
        : body.trim();
  return new K3tsError('MetricsUnavailable', text);
}
