import { createHash } from 'node:crypto';
import type { ResourceInfo } from '../resource-info.ts';
import { groupVersion } from '../object.ts';
import type { OpenApiOptions, OpenApiV2Document } from './documents.ts';
import { openApiV2, openApiV3 } from './documents.ts';
import type { JsonSchema } from './json-schema.ts';
import { encodeOpenApiV2 } from './protobuf.ts';

/** Bytes to serve and the hash that stands for them. */
export interface OpenApiPage {
  readonly body: Buffer;
  readonly hash: string;
}

/**
 * The serialised documents of one set of resources. Each is built when it is first asked for and
 * then kept. When the resources change, make new pages and hand in the old ones: group versions
 * that did not change keep their bytes.
 */
export interface OpenApiPages {
  v2Json(): OpenApiPage;
  v2Protobuf(): OpenApiPage;
  v3Root(): OpenApiPage;
  /** Undefined for a group version without resources. */
  v3(of: { group: string; version: string }): OpenApiPage | undefined;
  /** Group version to hash, as v3Root lists them. */
  readonly hashes: ReadonlyMap<string, string>;
}

export interface OpenApiPagesOptions extends OpenApiOptions {
  readonly resources: readonly ResourceInfo[];
  readonly previous?: OpenApiPages | undefined;
  /** Adds what others serve to the document of version 2. */
  readonly extendV2?: ((own: OpenApiV2Document) => OpenApiV2Document) | undefined;
}

/** `api/v1`, `apis/apps/v1`: where the document of a group version is. */
function pathOf(of: { group: string; version: string }): string {
  return `${of.group === '' ? 'api' : 'apis'}/${groupVersion(of)}`;
}

function hashOf(...parts: ReadonlyArray<string | Uint8Array>): string {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').toUpperCase();
}

/** Schemas of custom resources may be large and many, and change one at a time. */
const schemaHashes = new WeakMap<JsonSchema, string>();

function hashOfSchema(schema: JsonSchema): string {
  let hash = schemaHashes.get(schema);
  if (hash === undefined) schemaHashes.set(schema, (hash = hashOf(JSON.stringify(schema))));
  return hash;
}

/** Hashes what a document follows from, so that the root needs no document to be built. */
function hashInputs(options: OpenApiPagesOptions): Map<string, string> {
  const texts = new Map<string, string[]>();
  for (const info of options.resources) {
    const schema = options.customSchemas?.get(info.typeName);
    const text = JSON.stringify(info) + (schema === undefined ? '' : hashOfSchema(schema));
    const path = pathOf(info);
    const list = texts.get(path);
    if (list === undefined) texts.set(path, [text]);
    else list.push(text);
  }
  const version = options.version ?? '';
  return new Map([...texts].map(([path, list]) => [path, hashOf(version, ...list)]));
}

function once(build: () => Buffer, hash?: string): () => OpenApiPage {
  let page: OpenApiPage | undefined;
  return () => {
    if (page === undefined) {
      const body = build();
      page = { body, hash: hash ?? hashOf(body) };
    }
    return page;
  };
}

export function createOpenApiPages(options: OpenApiPagesOptions): OpenApiPages {
  const { resources, previous } = options;
  const hashes = hashInputs(options);
  const pages = new Map<string, () => OpenApiPage>();
  for (const [path, hash] of hashes) {
    const of = resources.find((info) => pathOf(info) === path);
    if (of === undefined) continue;
    const isSame = previous?.hashes.get(path) === hash;
    const build = (): Buffer => {
      const kept = isSame ? previous?.v3(of)?.body : undefined;
      return kept ?? Buffer.from(JSON.stringify(openApiV3(of, resources, options)));
    };
    pages.set(path, once(build, hash));
  }
  const document = (): OpenApiV2Document => {
    const own = openApiV2(resources, options);
    return options.extendV2?.(own) ?? own;
  };
  return {
    hashes,
    v2Json: once(() => Buffer.from(JSON.stringify(document()))),
    v2Protobuf: once(() => encodeOpenApiV2(document())),
    v3Root: once(() => Buffer.from(JSON.stringify(openApiV3Root(hashes)))),
    v3: (of) => pages.get(pathOf(of))?.(),
  };
}

/** The list of documents at /openapi/v3; a changed hash in an address tells clients to fetch again. */
export function openApiV3Root(hashes: ReadonlyMap<string, string>): {
  paths: Record<string, { serverRelativeURL: string }>;
} {
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const [path, hash] of hashes) {
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}
