import { K3tsError, messageOf } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { StatusBody } from '#base/api-status-error.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Client, DeleteOptions, ListOptions, ObjectList, Patch } from '../client.ts';
import type { WatchOptions, WriteOptions } from '../client.ts';
import { createConnection } from './connection.ts';
import { decodeWatch } from './http-watch.ts';
import { resourcePath, withQuery } from './resource-path.ts';
import type { QueryValue } from './resource-path.ts';
import { createSender, failureOf, readBody } from './sender.ts';
import type { SendOptions } from './sender.ts';
import type { TransportResponse } from './transport.ts';

/** A little more than the server gives a request, so that the server's own answer wins. */
const defaultRequestTimeoutMs = 65_000;

export interface HttpClientOptions {
  /** https://host:port; http:// for tests only. */
  server: string;
  /** PEM of the authorities that the server's certificate may come from. */
  ca?: string | Buffer | undefined;
  cert?: string | Buffer | undefined;
  key?: string | Buffer | undefined;
  /** A function is asked before each request, for tokens that are renewed. */
  token?: string | (() => string | undefined) | undefined;
  serverName?: string | undefined;
  insecure?: boolean | undefined;
  userAgent?: string | undefined;
  requestTimeoutMs?: number | undefined;
  clock: Clock;
  log: Logger;
}

export interface HttpClient extends Client {
  /** Requests from now on show this certificate; open watches stay on the old connection. */
  setCertificate(certificate: { cert: string | Buffer; key: string | Buffer }): void;
  /** Ends all connections; open requests and watches fail. */
  close(): void;
}

/**
 * The Client over HTTPS: one HTTP/2 connection for everything, made anew when it breaks. Failures
 * are ApiStatusError when the server answered and K3tsError `Unavailable` when it did not (the
 * request may or may not have been carried out then).
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { clock, log, token, ca, cert, key, serverName, insecure } = options;
  const connection = createConnection({
    server: new URL(options.server),
    tls: { ca, cert, key, serverName, insecure },
    clock,
  });
  const send = createSender({
    connection,
    clock,
    log,
    authorization: () => (typeof token === 'function' ? token() : token),
    userAgent: options.userAgent ?? 'k3ts',
  });
  const timeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;

  /** Sends and reads the whole answer within the time limit. */
  const exchange = async (
    request: SendOptions,
  ): Promise<{ response: TransportResponse; body: Buffer }> => {
    const limit = new AbortController();
    const { signal } = request;
    const onAbort = (): void => limit.abort(signal?.reason);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = clock.after(timeoutMs, () =>
      limit.abort(new K3tsError('Unavailable', `no answer from the server in ${timeoutMs} ms`)),
    );
    try {
      const response = await send({ ...request, signal: limit.signal });
      const body = await readBody(response.body);
      limit.signal.throwIfAborted();
      return { response, body };
    } catch (error) {
      limit.signal.throwIfAborted();
      throw error;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  };

  const json = async (request: SendOptions): Promise<unknown> => {
    const { response, body } = await exchange(request);
    if (response.status >= 400) throw failureOf(response, body);
    try {
      return JSON.parse(body.toString('utf8'));
    } catch (error) {
      throw new K3tsError('Unavailable', `the answer is no JSON: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };

  const write = (
    method: string,
    path: string,
    body: unknown,
    query: Record<string, QueryValue>,
    signal: AbortSignal | undefined,
    contentType = 'application/json',
  ): Promise<unknown> =>
    json({
      method,
      path: withQuery(path, query),
      headers: { 'content-type': contentType },
      body: Buffer.from(JSON.stringify(body)),
      signal,
    });

  return {
    async get<T extends KubeObject>(...args: Parameters<Client['get']>) {
      const [resource, name, opts = {}] = args;
      const path = resourcePath(resource, { ...opts, name });
      const query = { resourceVersion: opts.resourceVersion };
      return (await json({
        method: 'GET',
        path: withQuery(path, query),
        headers: {},
        signal: opts.signal,
      })) as T;
    },
    async list<T extends KubeObject>(...args: Parameters<Client['list']>) {
      const [resource, opts = {}] = args;
      const path = withQuery(resourcePath(resource, opts), listQuery(opts));
      const answer = await json({ method: 'GET', path, headers: {}, signal: opts.signal });
      return completeItems<T>(answer as ListAnswer<T>);
    },
    async *watch<T extends KubeObject>(...args: Parameters<Client['watch']>) {
      const [resource, opts = {}] = args;
      const path = withQuery(resourcePath(resource, opts), watchQuery(opts));
      const { signal } = opts;
      let response: TransportResponse;
      try {
        response = await send({ method: 'GET', path, headers: {}, signal });
      } catch (error) {
        if (signal?.aborted === true) return;
        throw error;
      }
      if (response.status >= 400) throw failureOf(response, await readBody(response.body));
      yield* decodeWatch<T>(response, signal);
    },
    async create<T extends KubeObject>(...args: Parameters<Client['create']>) {
      const [resource, object, opts = {}] = args;
      const { subresource } = opts;
      const namespace = opts.namespace ?? object.metadata.namespace;
      const name = subresource === undefined ? undefined : (opts.name ?? object.metadata.name);
      const path = resourcePath(resource, { namespace, name, subresource });
      return (await write('POST', path, object, writeQuery(opts), opts.signal)) as T;
    },
    async update<T extends KubeObject>(...args: Parameters<Client['update']>) {
      const [resource, object, opts = {}] = args;
      const namespace = opts.namespace ?? object.metadata.namespace;
      const { name } = object.metadata;
      const path = resourcePath(resource, { namespace, name, subresource: opts.subresource });
      return (await write('PUT', path, object, writeQuery(opts), opts.signal)) as T;
    },
    async patch<T extends KubeObject>(...args: Parameters<Client['patch']>) {
      const [resource, name, patch, opts = {}] = args;
      const query = {
        ...writeQuery(opts),
        force: patch.type === 'apply' && patch.force === true ? true : undefined,
      };
      const path = resourcePath(resource, { ...opts, name });
      const type = patchMediaTypes[patch.type];
      return (await write('PATCH', path, patch.body, query, opts.signal, type)) as T;
    },
    async delete(resource, name, opts = {}) {
      const path = resourcePath(resource, { ...opts, name });
      const body = deleteBody(opts);
      return (await write('DELETE', path, body, {}, opts.signal)) as KubeObject | StatusBody;
    },
    async deleteCollection(resource, opts = {}) {
      const { labelSelector, fieldSelector } = opts;
      const path = resourcePath(resource, opts);
      await write('DELETE', path, deleteBody(opts), { labelSelector, fieldSelector }, opts.signal);
    },
    async raw({ method, path, headers = {}, body, signal }) {
      const answer = await exchange({ method, path, headers, body, signal });
      return {
        status: answer.response.status,
        headers: answer.response.headers,
        body: answer.body,
      };
    },
    setCertificate: (certificate) => connection.setCertificate(certificate),
    close: () => connection.close(),
  };
}

const patchMediaTypes: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface ListAnswer<T extends KubeObject> extends ObjectList<T> {
  kind?: string;
  apiVersion?: string;
}

/** Items of a list come without kind and apiVersion; the list's own say what they are. */
function completeItems<T extends KubeObject>(answer: ListAnswer<T>): ObjectList<T> {
  const kind = answer.kind?.endsWith('List') === true ? answer.kind.slice(0, -4) : undefined;
  const items = answer.items ?? [];
  for (const item of items) {
    item.apiVersion ??= answer.apiVersion;
    item.kind ??= kind;
  }
  return { metadata: answer.metadata, items };
}

function listQuery(options: ListOptions): Record<string, QueryValue> {
  const { labelSelector, fieldSelector, limit, resourceVersion, resourceVersionMatch } = options;
  return {
    labelSelector,
    fieldSelector,
    limit,
    continue: options.continue,
    resourceVersion,
    resourceVersionMatch,
  };
}

function watchQuery(options: WatchOptions): Record<string, QueryValue> {
  const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
  const { allowWatchBookmarks, sendInitialEvents } = options;
  return {
    watch: true,
    labelSelector,
    fieldSelector,
    resourceVersion,
    allowWatchBookmarks,
    sendInitialEvents,
    resourceVersionMatch: sendInitialEvents === undefined ? undefined : 'NotOlderThan',
    timeoutSeconds,
  };
}

function writeQuery(options: WriteOptions): Record<string, QueryValue> {
  const { fieldManager, fieldValidation, dryRun } = options;
  return { fieldManager, fieldValidation, dryRun: dryRun === true ? 'All' : undefined };
}

function deleteBody(options: DeleteOptions): object {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options;
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
}
