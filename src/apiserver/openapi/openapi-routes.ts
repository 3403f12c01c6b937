import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import type { ResourceInfo } from '#schema/mod.ts';
import { createOpenApiPages, openApiV3Root } from '#schema/openapi/mod.ts';
import type {
  CustomSchemas,
  OpenApiPage,
  OpenApiPages,
  OpenApiV2Document,
} from '#schema/openapi/mod.ts';

import { acceptedTypes, matchesEtag } from '../discovery/accepted-type.ts';
import type { PathAnswer, PathRequest, PathRoute } from '../path-route.ts';

const compress = promisify(gzip);
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const v3ProtobufType = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';
const secondsPerYear = 365 * 24 * 3600;

export interface OpenApiRoutesOptions {
  readonly resources: () => readonly ResourceInfo[];
  readonly customSchemas?: (() => CustomSchemas) | undefined;
  /** As /version says. */
  readonly version: string;
  /** What extension servers document. */
  readonly others?: OpenApiOthers | undefined;
  /** Wall time, for the Expires header of documents named by their hash. */
  readonly nowMs: () => number;
}

/** Documents of group versions that are served elsewhere. */
export interface OpenApiOthers {
  /** By path below /openapi/v3: `apis/<group>/<version>`. */
  v3(): ReadonlyMap<string, OpenApiPage>;
  extendV2(own: OpenApiV2Document): OpenApiV2Document;
}

export interface OpenApiRoutes {
  readonly routes: readonly PathRoute[];
  /** To be called when the resources changed; documents of unchanged groups keep their bytes. */
  invalidate(): void;
}

/**
 * /openapi/v2 as JSON or protobuf and /openapi/v3 with a document a group version, compressed for
 * those who take it. Documents are made when first asked for and compressed off the event loop.
 */
export function createOpenApiRoutes(options: OpenApiRoutesOptions): OpenApiRoutes {
  let pages: OpenApiPages | undefined;
  let previous: OpenApiPages | undefined;
  const compressed = new WeakMap<Buffer, Promise<Buffer>>();
  const extendV2 = (own: OpenApiV2Document): OpenApiV2Document =>
    options.others?.extendV2(own) ?? own;
  const current = (): OpenApiPages => {
    pages ??= createOpenApiPages({
      resources: options.resources(),
      customSchemas: options.customSchemas?.(),
      version: options.version,
      previous,
      extendV2: options.others === undefined ? undefined : (own) => extendV2(own),
    });
    return pages;
  };

  async function answer(
    request: PathRequest,
    page: OpenApiPage,
    headers: Record<string, string>,
  ): Promise<PathAnswer> {
    const etag = `"${page.hash}"`;
    const all: Record<string, string> = { ...headers, etag, vary: 'Accept, Accept-Encoding' };
    if (matchesEtag(request.headers['if-none-match'], etag)) {
      return { status: 304, headers: all, body: Buffer.alloc(0) };
    }
    if (!acceptsGzip(request)) return { status: 200, headers: all, body: page.body };
    let body = compressed.get(page.body);
    if (body === undefined) compressed.set(page.body, (body = compress(page.body)));
    return { status: 200, headers: { ...all, 'content-encoding': 'gzip' }, body: await body };
  }

  const isRead = ({ method }: PathRequest): boolean => method === 'GET' || method === 'HEAD';
  const json = { 'content-type': 'application/json' };

  async function v2(request: PathRequest): Promise<PathAnswer | undefined> {
    if (!isRead(request)) return undefined;
    const form = formOf(request, protobufType);
    if (form === undefined) return notAcceptable;
    if (form === 'json') return await answer(request, current().v2Json(), json);
    const headers = { 'content-type': protobufType };
    return await answer(request, current().v2Protobuf(), headers);
  }

  async function v3Root(request: PathRequest): Promise<PathAnswer | undefined> {
    if (!isRead(request)) return undefined;
    const others = options.others?.v3() ?? new Map<string, OpenApiPage>();
    if (others.size === 0) return await answer(request, current().v3Root(), json);
    const all = new Map(current().hashes);
    for (const [path, { hash }] of others) all.set(path, hash);
    const body = Buffer.from(JSON.stringify(openApiV3Root(all)));
    const hash = createHash('sha512').update(body).digest('hex').toUpperCase();
    return await answer(request, { body, hash }, json);
  }

  async function v3(request: PathRequest): Promise<PathAnswer | undefined> {
    const of = groupVersionOf(request.path);
    const other = options.others?.v3().get(request.path.slice('/openapi/v3/'.length));
    const page = of === undefined ? undefined : (other ?? current().v3(of));
    if (page === undefined || !isRead(request)) return undefined;
    // there is no protobuf of version 3: who asks for it gets JSON
    if (formOf(request, v3ProtobufType) === undefined) return notAcceptable;
    const asked = request.context.query.get('hash') ?? '';
    if (asked === '') return await answer(request, page, { ...json, 'cache-control': 'public' });
    if (asked !== page.hash) {
      const location = `${request.path}?hash=${page.hash}`;
      return { status: 301, headers: { location }, body: Buffer.alloc(0) };
    }
    const expires = new Date(options.nowMs() + secondsPerYear * 1000).toUTCString();
    return await answer(request, page, {
      ...json,
      'cache-control': 'public, immutable',
      expires,
    });
  }

  return {
    routes: [
      { path: '/openapi/v2', handle: v2 },
      { path: '/openapi/v3', handle: v3Root },
      { path: '/openapi/v3/', isPrefix: true, handle: v3 },
    ],
    invalidate() {
      previous = pages ?? previous;
      pages = undefined;
    },
  };
}

/** `/openapi/v3/api/v1`, `/openapi/v3/apis/apps/v1`. */
function groupVersionOf(path: string): { group: string; version: string } | undefined {
  const core = /^\/openapi\/v3\/api\/([^/]+)$/.exec(path);
  if (core !== null) return { group: '', version: core[1] ?? '' };
  const other = /^\/openapi\/v3\/apis\/([^/]+)\/([^/]+)$/.exec(path);
  return other === null ? undefined : { group: other[1] ?? '', version: other[2] ?? '' };
}

function acceptsGzip(request: PathRequest): boolean {
  const header = request.headers['accept-encoding'];
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return acceptedTypes(text).some(({ type }) => type === 'gzip');
}

const notAcceptable: PathAnswer = {
  status: 406,
  headers: { vary: 'Accept' },
  body: Buffer.alloc(0),
};

/** The form of a document that a client likes best; undefined when it takes none. */
function formOf(request: PathRequest, protobuf: string): 'json' | 'protobuf' | undefined {
  const accepted = acceptedTypes(request.headers.accept);
  if (accepted.length === 0) return 'json';
  for (const { type } of accepted) {
    // Clients up to 1.27 send the name with an @.
    if (type === protobuf || type === protobuf.replace(/(v\d)\.v1\.0/, '$1@v1.0'))
      return 'protobuf';
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  }
  return undefined;
}
