import type { IncomingHttpHeaders } from 'node:http';
import type { RequestContext } from './request.ts';

export interface PathRequest {
  readonly context: RequestContext;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A complete answer; a body that is no Buffer and no string is sent as JSON. */
export interface PathAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string | object;
}

/** Answers paths that are no resources: discovery, OpenAPI, health, metrics. */
export interface PathRoute {
  /** The path, or with `isPrefix` the start of paths (ending in a slash). */
  readonly path: string;
  readonly isPrefix?: boolean;
  /** Also the path with a slash at its end, as upstream's web services: clients made from OpenAPI. */
  readonly takesSlash?: boolean;
  /** Undefined: not mine after all, answer 404. */
  handle(request: PathRequest): PathAnswer | undefined | Promise<PathAnswer | undefined>;
}

/** Finds the route of a path: an exact one first, then the longest prefix. */
export class PathRouter {
  readonly #exact = new Map<string, PathRoute>();
  #prefixes: PathRoute[] = [];

  add(route: PathRoute): void {
    if (route.isPrefix !== true) {
      this.#exact.set(route.path, route);
      return;
    }
    this.#prefixes.push(route);
    this.#prefixes.sort((a, b) => b.path.length - a.path.length);
  }

  find(path: string): PathRoute | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    const bare = path.endsWith('/') ? this.#exact.get(path.slice(0, -1)) : undefined;
    if (bare?.takesSlash === true) return bare;
    return this.#prefixes.find((route) => path.startsWith(route.path));
  }

  /** All exact paths, sorted, for the index at `/`. */
  paths(): string[] {
    return [...this.#exact.keys()].sort();
  }
}
