import { K3tsError, messageOf } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { StatusBody } from '#base/api-status-error.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type {
  Client,
  DeleteOptions,
  GetOptions,
  ListOptions,
  ObjectList,
  Patch,
  RawRequest,
  RawResponse,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../client.ts';
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
  return new HttpApiClient(options);
}

class HttpApiClient implements HttpClient {
  readonly #connection: ReturnType<typeof createConnection>;
  readonly #exchange: Exchange;
  readonly #send: ReturnType<typeof createSender>;

  constructor(options: HttpClientOptions) {
    const { clock, log, token, ca, cert, key, serverName, insecure } = options;
    this.#connection = createConnection({
      server: new URL(options.server),
      tls: { ca, cert, key, serverName, insecure },
      clock,
    });
    this.#send = createSender({
      connection: this.#connection,
      clock,
      log,
      authorization: () => (typeof token === 'function' ? token() : token),
      userAgent: options.userAgent ?? 'k3ts',
    });
    const timeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    this.#exchange = createExchange({ send: this.#send, clock, timeoutMs });
  }

  async get<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    options: GetOptions = {},
  ): Promise<T> {
    const { resourceVersion, signal } = options;
    const path = withQuery(resourcePath(resource, { ...options, name }), { resourceVersion });
    return (await this.#json({ method: 'GET', path, headers: {}, signal })) as T;
  }

  async list<T extends KubeObject>(
    resource: GroupVersionResource,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const path = withQuery(resourcePath(resource, options), listQuery(options));
    const { signal } = options;
    const answer = await this.#json({ method: 'GET', path, headers: {}, signal });
    return completeItems<T>(answer as ListAnswer<T>);
  }

  async *watch<T extends KubeObject>(
    resource: GroupVersionResource,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const path = withQuery(resourcePath(resource, options), watchQuery(options));
    const { signal } = options;
    let response: TransportResponse;
    try {
      response = await this.#send({ method: 'GET', path, headers: {}, signal });
    } catch (error) {
      if (signal?.aborted === true) return;
      throw error;
    }
    if (response.status >= 400) throw failureOf(response, await readBody(response.body));
    yield* decodeWatch<T>(response, signal);
  }

  async create<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: WriteOptions & { name?: string | undefined } = {},
  ): Promise<T> {
    const { subresource } = options;
    const namespace = options.namespace ?? object.metadata.namespace;
    const name = subresource === undefined ? undefined : (options.name ?? object.metadata.name);
    const path = resourcePath(resource, { namespace, name, subresource });
    return (await this.#write('POST', path, object, options)) as T;
  }

  async update<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const { subresource } = options;
    const namespace = options.namespace ?? object.metadata.namespace;
    const path = resourcePath(resource, { namespace, name: object.metadata.name, subresource });
    return (await this.#write('PUT', path, object, options)) as T;
  }

  async patch<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const isForced = patch.type === 'apply' && patch.force === true;
    const path = resourcePath(resource, { ...options, name });
    return (await this.#write('PATCH', path, patch.body, options, {
      contentType: patchMediaTypes[patch.type],
      query: isForced ? { force: true } : {},
    })) as T;
  }

  async delete(
    resource: GroupVersionResource,
    name: string,
    options: DeleteOptions = {},
  ): Promise<KubeObject | StatusBody> {
    const path = resourcePath(resource, { namespace: options.namespace, name });
    const { signal } = options;
    const answer = await this.#write('DELETE', path, deleteBody(options), { signal });
    return answer as KubeObject | StatusBody;
  }

  async deleteCollection(
    resource: GroupVersionResource,
    options: DeleteOptions & { labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<void> {
    const { labelSelector, fieldSelector, signal } = options;
    const path = resourcePath(resource, { namespace: options.namespace });
    const query = { labelSelector, fieldSelector };
    await this.#write('DELETE', path, deleteBody(options), { signal }, { query });
  }

  async raw(request: RawRequest): Promise<RawResponse> {
    const { response, body } = await this.#exchange({ ...request, headers: request.headers ?? {} });
    return { status: response.status, headers: response.headers, body };
  }

  setCertificate(certificate: { cert: string | Buffer; key: string | Buffer }): void {
    this.#connection.setCertificate(certificate);
  }

  close(): void {
    this.#connection.close();
  }

  async #json(request: SendOptions): Promise<unknown> {
    const { response, body } = await this.#exchange(request);
    if (response.status >= 400) throw failureOf(response, body);
    try {
      return JSON.parse(body.toString('utf8'));
    } catch (error) {
      const message = `the answer is no JSON: ${messageOf(error)}`;
      throw new K3tsError('Unavailable', message, { cause: error });
    }
  }

  #write(
    method: string,
    path: string,
    body: unknown,
    options: WriteOptions,
    extra: { contentType?: string; query?: Record<string, QueryValue> } = {},
  ): Promise<unknown> {
    const { fieldManager, fieldValidation, dryRun, signal } = options;
    const query = {
      fieldManager,
      fieldValidation,
      dryRun: dryRun === true ? 'All' : undefined,
      ...extra.query,
    };
    return this.#json({
      method,
      path: withQuery(path, query),
      headers: { 'content-type': extra.contentType ?? 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
      signal,
    });
  }
}

type Exchange = (request: SendOptions) => Promise<{ response: TransportResponse; body: Buffer }>;

/** Sends a request and reads the whole answer within the time limit. */
function createExchange(options: {
  send: ReturnType<typeof createSender>;
  clock: Clock;
  timeoutMs: number;
}): Exchange {
  const { send, clock, timeoutMs } = options;
  return async (request) => {
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
      return { response, body: await readBody(response.body) };
    } catch (error) {
      // What ended the request says more than how the connection saw it.
      limit.signal.throwIfAborted();
      throw error;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
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
