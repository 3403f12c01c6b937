import { fromPlainList } from '../discovery/discovered.ts';
import type { DiscoveredResource, PlainResource } from '../discovery/discovered.ts';
import type { RemoteServer } from './remote-server.ts';
import { readRemote, sendRemote } from './remote-request.ts';
import { aggregatorHeaders } from './aggregator-user.ts';

const maxDocumentBytes = 10 * 1024 * 1024;
const aggregatedAccept =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,' +
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

interface GroupDiscoveryList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly DiscoveredResource[];
    }[];
  }[];
}

/**
 * What an extension server has in its group version: asked in the aggregated form, and by the plain
 * list of servers that do not know that. Rejects when it cannot be learnt.
 */
export async function fetchDiscovery(
  server: RemoteServer,
  signal: AbortSignal,
): Promise<readonly DiscoveredResource[]> {
  const { group = '', version = '' } = server.service.spec ?? {};
  const all = await fetchJson(server, group === '' ? '/api' : '/apis', aggregatedAccept, signal);
  if (all?.type.includes('as=APIGroupDiscoveryList') === true) {
    const found = (all.body as GroupDiscoveryList).items
      ?.find((item) => (item.metadata?.name ?? '') === group)
      ?.versions?.find((one) => one.version === version);
    if (found !== undefined) return found.resources ?? [];
  }
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const plain = await fetchJson(server, path, 'application/json', signal);
  if (plain === undefined) throw new Error(`${path} is not there`);
  const list = plain.body as { resources?: readonly PlainResource[] };
  return fromPlainList(list.resources ?? [], { group, version });
}

/** A JSON document with its content type; undefined when the server has none there. */
export async function fetchJson(
  server: RemoteServer,
  path: string,
  accept: string,
  signal: AbortSignal,
  etag?: string,
): Promise<{ body: unknown; type: string; etag: string | undefined } | undefined> {
  const headers = aggregatorHeaders({
    Accept: accept,
    ...(etag === undefined ? {} : { 'If-None-Match': etag }),
  });
  const answer = await sendRemote(server, { method: 'GET', path, headers, signal });
  const bytes = await readRemote(answer, maxDocumentBytes);
  const { statusCode = 0 } = answer;
  if (statusCode === 404 || statusCode === 406 || statusCode === 304) return undefined;
  if (statusCode !== 200) throw new Error(`${path}: status ${statusCode}`);
  const body: unknown = JSON.parse(bytes.toString('utf8'));
  return { body, type: answer.headers['content-type'] ?? '', etag: answer.headers.etag };
}
