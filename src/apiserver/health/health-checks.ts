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

  add(check: HealthCheck): void {
    this.#checks.push(check);
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

  async #answerAll(endpoint: HealthEndpoint, query: URLSearchParams): Promise<PathAnswer> {
    const excluded = new Set(query.getAll('exclude').filter((name) => name !== ''));
    const lines: string[] = [];
    let isHealthy = true;
    for (const check of this.#of(endpoint)) {
      if (excluded.delete(check.name)) {
        lines.push(`[+]${check.name} excluded: ok`);
      } else if (await passes(check)) {
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
    try {
      await check.check();
      return { status: 200, headers, body: 'ok' };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { status: 500, headers, body: `internal server error: ${why}\n` };
    }
  }

  #of(endpoint: HealthEndpoint): HealthCheck[] {
    return this.#checks.filter((check) => (check.endpoints ?? endpoints).includes(endpoint));
  }
}

async function passes(check: HealthCheck): Promise<boolean> {
  try {
    await check.check();
    return true;
  } catch {
    return false;
  }
}
