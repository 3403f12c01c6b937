import type { MetricRegistry, NumberMetric } from '#base/metrics.ts';

import type { PathAnswer, PathRoute } from '../path-route.ts';

/** One named condition; throws or rejects when it does not hold. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void> | void;
  /** Endpoints it belongs to; all three when absent. */
  readonly endpoints?: readonly HealthEndpoint[];
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

const endpoints: readonly HealthEndpoint[] = ['healthz', 'livez', 'readyz'];
const headers = {
  'Content-Type': 'text/plain; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
};

/** Serves /healthz, /livez and /readyz with upstream's texts, from checks in the order given. */
export class HealthChecks {
  readonly #checks: HealthCheck[] = [];
  #gauge: NumberMetric | undefined;
  #counter: NumberMetric | undefined;

  add(check: HealthCheck): void {
    this.#checks.push(check);
  }

  /** Counts outcomes of checks from now on. */
  measure(registry: MetricRegistry): void {
    this.#gauge = registry.gauge({
      name: 'kubernetes_healthcheck',
      help: 'Result of a health check: 1 for ok, 0 for an error.',
      stability: 'STABLE',
      labels: ['name', 'type'],
    });
    this.#counter = registry.counter({
      name: 'kubernetes_healthchecks_total',
      help: 'Results of health checks.',
      stability: 'STABLE',
      labels: ['name', 'status', 'type'],
    });
  }

  routes(): PathRoute[] {
    return endpoints.flatMap((endpoint) => [
      { path: `/${endpoint}`, handle: ({ context }) => this.#answerAll(endpoint, context.query) },
      {
        path: `/${endpoint}/`,
        isPrefix: true,
        handle: ({ path }) => this.#answerOne(endpoint, path.slice(endpoint.length + 2)),
      },
    ]);
  }

  /** The answer to a path, for a server without routes; undefined when it is none of these. */
  async answer(path: string, query: URLSearchParams): Promise<PathAnswer | undefined> {
    const [name = '', ...check] = path.slice(1).split('/');
    const endpoint = endpoints.find((known) => known === name);
    if (endpoint === undefined) return undefined;
    if (check.join('/') === '') return await this.#answerAll(endpoint, query);
    return await this.#answerOne(endpoint, check.join('/'));
  }

  /** Paths of single checks, for the index at `/`. */
  checkPaths(): string[] {
    return endpoints.flatMap((endpoint) =>
      this.#of(endpoint).map(({ name }) => `/${endpoint}/${name}`),
    );
  }

  async #answerAll(endpoint: HealthEndpoint, query: URLSearchParams): Promise<PathAnswer> {
    const excluded = new Set(query.getAll('exclude').filter((name) => name !== ''));
    const lines: string[] = [];
    let isHealthy = true;
    for (const check of this.#of(endpoint)) {
      if (excluded.delete(check.name)) {
        lines.push(`[+]${check.name} excluded: ok`);
      } else if ((await this.#run(endpoint, check)) === undefined) {
        lines.push(`[+]${check.name} ok`);
      } else {
        isHealthy = false;
        lines.push(`[-]${check.name} failed: reason withheld`);
      }
    }
    if (excluded.size > 0) {
      const names = [...excluded].map((name) => JSON.stringify(name)).join(', ');
      lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
    }
    if (!isHealthy) {
      const body = `${[...lines, `${endpoint} check failed`].join('\n')}\n`;
      return { status: 500, headers, body };
    }
    if (!query.has('verbose')) return { status: 200, headers, body: 'ok' };
    return { status: 200, headers, body: `${[...lines, `${endpoint} check passed`].join('\n')}\n` };
  }

  async #answerOne(endpoint: HealthEndpoint, name: string): Promise<PathAnswer | undefined> {
    const check = this.#of(endpoint).find((other) => other.name === name);
    if (check === undefined) return undefined;
    const problem = await this.#run(endpoint, check);
    if (problem === undefined) return { status: 200, headers, body: 'ok' };
    return { status: 500, headers, body: `internal server error: ${problem}\n` };
  }

  /** What is wrong, undefined for nothing. */
  async #run(endpoint: HealthEndpoint, check: HealthCheck): Promise<string | undefined> {
    let problem: string | undefined;
    try {
      await check.check();
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const isOk = problem === undefined;
    if (this.#gauge !== undefined) this.#gauge.with(check.name, endpoint).value = isOk ? 1 : 0;
    const status = isOk ? 'success' : 'error';
    if (this.#counter !== undefined) this.#counter.with(check.name, status, endpoint).value++;
    return problem;
  }

  #of(endpoint: HealthEndpoint): HealthCheck[] {
    return this.#checks.filter((check) => (check.endpoints ?? endpoints).includes(endpoint));
  }
}
