import { createHash } from 'node:crypto';

import { groupVersion } from '#schema/mod.ts';
import type { GroupInfo, ResourceInfo } from '#schema/mod.ts';

import { contentTypes, encodeValue } from '../answers/value-answer.ts';
import { negotiateForm, wantsPretty } from '../negotiate.ts';
import type { PathAnswer, PathRequest, PathRoute } from '../path-route.ts';
import { acceptedTypes, matchesEtag } from './accepted-type.ts';
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  otherResourceList,
} from './documents.ts';
import type { DiscoveredVersion } from './discovered.ts';
import { orderGroups } from './group-order.ts';
import type { ServedGroup } from './group-order.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export interface DiscoveryOptions {
  /** Everything that is served at the moment. */
  readonly resources: () => readonly ResourceInfo[];
  /** Group versions that others serve: extension servers, parts of this process. */
  readonly others?: (() => readonly DiscoveredVersion[]) | undefined;
  /** Order and preferred versions of built-in groups. */
  readonly groups: readonly GroupInfo[];
  /** host:port that clients outside of the cluster reach. */
  readonly serverAddress: string;
}

export interface Discovery {
  readonly routes: readonly PathRoute[];
  /** To be called when the resources changed: documents are made anew when next asked for. */
  invalidate(): void;
  /** Paths of all documents, for the index at `/`. */
  paths(): string[];
}

/** Bytes of the documents of one set of resources, each made when first asked for. */
interface Documents {
  readonly groups: readonly ServedGroup[];
  readonly plain: Map<string, Buffer | undefined>;
  readonly aggregated: Map<string, { body: Buffer; etag: string }>;
}

/** What the API has: /api, /apis and below, plain or aggregated by what the client accepts. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  let documents: Documents | undefined;
  const current = (): Documents => {
    documents ??= {
      groups: orderGroups(options.resources(), options.groups, options.others?.()),
      plain: new Map(),
      aggregated: new Map(),
    };
    return documents;
  };

  function plain(path: string, { context, headers }: PathRequest): PathAnswer | undefined {
    const { plain: known, groups } = current();
    if (!known.has(path)) {
      const document = plainDocument(path, groups, options.serverAddress);
      // Paths that are not there are not remembered: anybody can ask for any number of them.
      if (document === undefined) return undefined;
      known.set(path, Buffer.from(JSON.stringify(document)));
    }
    const body = known.get(path);
    if (body === undefined) return undefined;
    const form = negotiateForm(headers.accept, []);
    const isPretty = wantsPretty(context.query.toString(), context.userAgent, form);
    const type = contentTypes[form.media];
    if (form.media === 'json' && !isPretty) {
      return { status: 200, headers: { 'content-type': type }, body };
    }
    const value = JSON.parse(body.toString()) as unknown;
    const shown = encodeValue(value, form, isPretty);
    return { status: 200, headers: { 'content-type': type }, body: shown };
  }

  function aggregated(path: '/api' | '/apis', request: PathRequest): PathAnswer {
    const { aggregated: known, groups } = current();
    let document = known.get(path);
    if (document === undefined) {
      const wanted = groups.filter(({ group }) => (group === '') === (path === '/api'));
      const body = Buffer.from(JSON.stringify(aggregatedDiscovery(wanted)));
      const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
      known.set(path, (document = { body, etag }));
    }
    const headers = {
      'content-type': aggregatedType,
      etag: document.etag,
      vary: 'Accept',
      'cache-control': 'public',
    };
    if (matchesEtag(request.headers['if-none-match'], document.etag)) {
      return { status: 304, headers, body: Buffer.alloc(0) };
    }
    return { status: 200, headers, body: document.body };
  }

  function handle(request: PathRequest): PathAnswer | undefined {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path;
    const isRoot = path === '/api' || path === '/apis';
    if (isRoot && prefersAggregated(request.headers.accept)) return aggregated(path, request);
    const answer = plain(path, request);
    if (!isRoot || answer === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, vary: 'Accept' } };
  }

  return {
    routes: [
      { path: '/api', handle },
      { path: '/apis', handle },
      { path: '/api/', isPrefix: true, handle },
      { path: '/apis/', isPrefix: true, handle },
    ],
    invalidate() {
      documents = undefined;
    },
    paths() {
      return current().groups.flatMap(({ group, versions }) => {
        const root = group === '' ? '/api' : '/apis';
        const own = versions.map(({ version }) => `${root}/${groupVersion({ group, version })}`);
        return group === '' ? own : [`${root}/${group}`, ...own];
      });
    },
  };
}

/** Whether the first type that the server knows is the aggregated one. */
function prefersAggregated(accept: string | undefined): boolean {
  for (const { type, parameters } of acceptedTypes(accept)) {
    if (parameters.get('as') === 'APIGroupDiscoveryList') {
      const isKnown =
        type === 'application/json' &&
        parameters.get('g') === 'apidiscovery.k8s.io' &&
        parameters.get('v') === 'v2';
      if (isKnown) return true;
    } else if (type === 'application/json' || type === '*/*' || type === 'application/*') {
      return false;
    }
  }
  return false;
}

function plainDocument(
  path: string,
  groups: readonly ServedGroup[],
  serverAddress: string,
): object | undefined {
  const [, root, ...rest] = path.split('/');
  const core = groups.find(({ group }) => group === '');
  if (root === 'api') {
    if (rest.length === 0) return apiVersions(core, serverAddress);
    return rest.length === 1 ? resourceList(core, rest[0]) : undefined;
  }
  if (rest.length === 0) return apiGroupList(groups);
  const [name = '', version] = rest;
  const group = name === '' ? undefined : groups.find((candidate) => candidate.group === name);
  if (group === undefined || rest.length > 2) return undefined;
  return version === undefined ? apiGroup(group) : resourceList(group, version);
}

function resourceList(group: ServedGroup | undefined, version = ''): object | undefined {
  const found = group?.versions.find((candidate) => candidate.version === version);
  if (group === undefined || found === undefined) return undefined;
  if (found.other !== undefined) return otherResourceList(found.other);
  return apiResourceList({ group: group.group, version }, found.resources);
}
