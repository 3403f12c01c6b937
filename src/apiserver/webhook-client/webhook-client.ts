import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Agent, RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { formatDuration } from '#base/duration.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { http, https } from '#base/node-http.ts';
import { answerError } from './answer-error.ts';
import { goErrorText, WebhookCallError } from './call-error.ts';
import type { ServiceResolver } from './service-resolver.ts';
import { webhookTarget } from './webhook-target.ts';
import type { WebhookClientConfig, WebhookTarget } from './webhook-target.ts';

const maxAnswerBytes = 3 * 1024 * 1024;
/** Idle connections that are kept for one target, and targets that keep any. */
const maxIdleConnections = 25;
const maxTargets = 128;
const idleTimeoutMs = 90_000;

/** How this server shows who it is to a webhook, from a kubeconfig for admission. */
export interface WebhookCredentials {
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM texts. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface WebhookCallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface WebhookClient {
  /**
   * POSTs JSON (text and bytes are sent as they are) and answers the parsed JSON. Throws
   * WebhookCallError. The time limit holds for the whole call and is told to the server in the
   * query, as client-go does. One more try when an idle connection turns out to be dead.
   */
  call(config: WebhookClientConfig, body: unknown, options: WebhookCallOptions): Promise<unknown>;
  /** Ends the idle connections. */
  close(): void;
}

export interface WebhookClientOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly resolver: ServiceResolver;
  /** By host and port of the URL, or of `<name>.<namespace>.svc`. */
  readonly credentials?:
    | ((host: string, port: number) => WebhookCredentials | undefined)
    | undefined;
}

interface Call {
  readonly target: WebhookTarget;
  readonly body: string | Uint8Array;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** A client whose connections are kept per target, for at most 128 targets. */
export function createWebhookClient(options: WebhookClientOptions): WebhookClient {
  const agents = new AgentPool();
  return {
    async call(config, body, { timeoutMs, signal, headers }) {
      const target = webhookTarget(config);
      const query = `timeout=${formatDuration(timeoutMs)}`;
      const path = `${target.path}${target.path.includes('?') ? '&' : '?'}${query}`;
      const url = `${target.url}${target.path.includes('?') ? '&' : '?'}${query}`;
      const credentials = options.credentials?.(target.host, target.port);
      const end = new AbortController();
      let isTimeout = false;
      const timer = options.clock.after(timeoutMs, () => {
        isTimeout = true;
        end.abort();
      });
      const onAbort = (): void => end.abort();
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted === true) end.abort();
      try {
        const call: Call = {
          target,
          body:
            typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
          path,
          headers: { ...requestHeaders(credentials), ...headers },
          signal: end.signal,
        };
        return await exchange(call, () => agents.get(target, credentials, options.resolver));
      } catch (error) {
        if (error instanceof WebhookCallError) throw error;
        const text = isTimeout
          ? 'context deadline exceeded'
          : end.signal.aborted
            ? 'context canceled'
            : goErrorText(error, target.host);
        const message = `Post ${JSON.stringify(url)}: ${text}`;
        throw new WebhookCallError(message, { cause: error, isTimeout });
      } finally {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      }
    },
    close: () => agents.close(),
  };
}

function requestHeaders(credentials: WebhookCredentials | undefined): Record<string, string> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    Accept: 'application/json, */*',
    'User-Agent': 'kube-apiserver-admission',
  };
  const { token, username, password = '' } = credentials ?? {};
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
  else if (username !== undefined) {
    const pair = Buffer.from(`${username}:${password}`).toString('base64');
    headers['Authorization'] = `Basic ${pair}`;
  }
  return headers;
}

async function exchange(call: Call, agent: () => Agent): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    const request = start(call, agent());
    try {
      return await answerOf(request, call.body);
    } catch (error) {
      const isStale = request.reusedSocket && (error as { code?: unknown }).code === 'ECONNRESET';
      if (!isStale || attempt >= maxIdleConnections || call.signal.aborted) throw error;
    }
  }
}

function start({ target, path, headers, body, signal }: Call, agent: Agent): ClientRequest {
  const options: RequestOptions = {
    method: 'POST',
    host: target.host,
    port: target.port,
    path,
    headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) },
    agent,
    signal,
  };
  return target.isTls ? https.request(options) : http.request(options);
}

function answerOf(request: ClientRequest, body: string | Uint8Array): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      readAnswer(response).then(resolve, (error: unknown) => {
        request.destroy();
        reject(error instanceof Error ? error : new Error(messageOf(error)));
      });
    });
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > maxAnswerBytes) {
      throw new WebhookCallError(`Response exceeds maximum size of ${maxAnswerBytes} bytes`);
    }
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces, size).toString();
  const { statusCode = 0 } = response;
  if (statusCode < 200 || statusCode > 206) {
    throw answerError(statusCode, response.headers['content-type'], text);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new WebhookCallError(
      `couldn't get version/kind; json parse error: ${jsonErrorText(text)}`,
      { cause: error, statusCode, body: text },
    );
  }
}

function jsonErrorText(text: string): string {
  const first = text.trimStart()[0];
  if (first === undefined) return 'unexpected end of JSON input';
  return /[[{"\d-]/.test(first)
    ? 'unexpected end of JSON input'
    : `invalid character '${first}' looking for beginning of value`;
}

/** Agents by target, the least recently used one closed at the bound. */
class AgentPool {
  readonly #agents = new Map<string, Agent>();

  get(
    target: WebhookTarget,
    credentials: WebhookCredentials | undefined,
    resolver: ServiceResolver,
  ): Agent {
    const { key } = target;
    const known = this.#agents.get(key);
    const agent = known ?? createAgent(target, credentials, resolver);
    this.#agents.delete(key);
    this.#agents.set(key, agent);
    if (this.#agents.size > maxTargets) {
      const [oldest, idle] = this.#agents.entries().next().value as [string, Agent];
      this.#agents.delete(oldest);
      idle.destroy();
    }
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

/** A pool of connections to one target; a Service is looked up at each new connection. */
function createAgent(
  target: WebhookTarget,
  credentials: WebhookCredentials | undefined,
  resolver: ServiceResolver,
): Agent {
  const { isTls, service, authorities, host } = target;
  const settings = { keepAlive: true, maxFreeSockets: maxIdleConnections, timeout: idleTimeoutMs };
  const agent = isTls
    ? new https.Agent({
        ...settings,
        ...(authorities === undefined ? {} : { ca: authorities }),
        ...(credentials?.certificate === undefined ? {} : { cert: credentials.certificate }),
        ...(credentials?.key === undefined ? {} : { key: credentials.key }),
        ...(isIP(host) === 0 ? { servername: host } : {}),
      })
    : (new http.Agent(settings) as Agent);
  if (service === undefined) return agent;
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const { namespace, name } = service;
    const address = resolver.resolve(namespace, name, target.port);
    return connect({ ...options, ...address }, callback);
  };
  return agent;
}
