import { createHash } from 'node:crypto';
import type { OpenApiPage, OpenApiV2Document } from '#schema/openapi/mod.ts';
import { fetchJson } from './remote-discovery.ts';
import type { RemoteServer } from './remote-server.ts';
import { toOpenApiV3 } from './openapi-v3.ts';

/** What an extension server says of its group version; absent parts are not to be had. */
export interface RemoteOpenApi {
  readonly v3?: OpenApiPage | undefined;
  /** The whole document of the server: it may hold more than the group version. */
  readonly v2?: OpenApiV2Document | undefined;
  /** What the documents are known by at their server. */
  readonly v3Address?: string | undefined;
  readonly v2Etag?: string | undefined;
}

/**
 * Fetches the OpenAPI documents of an extension server, those that changed since `previous`. A
 * server without version 3 gets one made from version 2, as upstream.
 */
export async function fetchOpenApi(
  server: RemoteServer,
  previous: RemoteOpenApi,
  signal: AbortSignal,
): Promise<RemoteOpenApi> {
  const { group = '', version = '' } = server.service.spec ?? {};
  const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
  const v2 = await fetchV2(server, previous, signal);
  const root = await fetchJson(server, '/openapi/v3', 'application/json', signal);
  const paths = (root?.body as { paths?: Record<string, { serverRelativeURL?: string }> })?.paths;
  const address = paths?.[path]?.serverRelativeURL;
  if (address === undefined) {
    const isSame = v2.v2 === previous.v2 && previous.v3 !== undefined;
    const made = v2.v2 === undefined ? undefined : toOpenApiV3(v2.v2, `/${path}`);
    return { ...v2, v3: isSame ? previous.v3 : made === undefined ? undefined : pageOf(made) };
  }
  if (address === previous.v3Address && address.includes('hash=')) {
    return { ...v2, v3: previous.v3, v3Address: address };
  }
  const document = await fetchJson(server, address, 'application/json', signal);
  return {
    ...v2,
    v3: document === undefined ? undefined : pageOf(document.body),
    v3Address: address,
  };
}

async function fetchV2(
  server: RemoteServer,
  previous: RemoteOpenApi,
  signal: AbortSignal,
): Promise<Pick<RemoteOpenApi, 'v2' | 'v2Etag'>> {
  const { v2, v2Etag } = previous;
  const found = await fetchJson(server, '/openapi/v2', 'application/json', signal, v2Etag);
  if (found === undefined) return v2Etag === undefined ? {} : { v2, v2Etag };
  const document = found.body as OpenApiV2Document | null;
  if (typeof document?.paths !== 'object') return {};
  return { v2: document, v2Etag: found.etag };
}

function pageOf(document: unknown): OpenApiPage {
  const body = Buffer.from(JSON.stringify(document));
  return { body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
}
