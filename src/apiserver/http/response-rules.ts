import type { Exchange } from './exchange.ts';

export interface ResponseRulesOptions {
  /** Regular expressions of origins that browsers may call from. */
  readonly corsOrigins?: readonly string[];
  /** Directives of Strict-Transport-Security. */
  readonly hstsDirectives?: readonly string[];
  /** Chance that an HTTP/2 client is told to connect anew, 0 to 0.02. */
  readonly goawayChance?: number;
}

const corsHeaders = {
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'Access-Control-Allow-Headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'Access-Control-Expose-Headers': 'Date',
  'Access-Control-Allow-Credentials': 'true',
};

/** Headers that depend on the client and the flags alone, before anybody knows who asks. */
export class ResponseRules {
  readonly #origins: readonly RegExp[];
  readonly #fixed: Readonly<Record<string, string>> | undefined;
  readonly #goawayChance: number;

  /** Throws SyntaxError for a pattern that is none. */
  constructor(options: ResponseRulesOptions = {}) {
    this.#origins = (options.corsOrigins ?? []).map((pattern) => new RegExp(pattern));
    const directives = options.hstsDirectives ?? [];
    this.#fixed =
      directives.length === 0 ? undefined : { 'Strict-Transport-Security': directives.join('; ') };
    this.#goawayChance = options.goawayChance ?? 0;
  }

  /** Extra headers of the answer, undefined for none. */
  headersFor(exchange: Exchange): Readonly<Record<string, string>> | undefined {
    const { origin } = exchange.headers;
    if (this.#origins.length === 0 || origin === undefined) return this.#fixed;
    if (!this.#origins.some((pattern) => pattern.test(origin))) return this.#fixed;
    return { ...this.#fixed, 'Access-Control-Allow-Origin': origin, ...corsHeaders };
  }

  /** Whether the request asks only whether a browser may ask: answered with 204 at once. */
  isPreflight(exchange: Exchange): boolean {
    if (exchange.method !== 'OPTIONS' || this.#origins.length === 0) return false;
    const { origin } = exchange.headers;
    return origin !== undefined && this.#origins.some((pattern) => pattern.test(origin));
  }

  /** Whether this client should go to another server. */
  wantsGoaway(draw: () => number): boolean {
    return this.#goawayChance > 0 && draw() < this.#goawayChance;
  }
}
