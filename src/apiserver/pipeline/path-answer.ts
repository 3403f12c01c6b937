import { answerHeaders } from '../answers/headers.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendBody } from '../answers/body-writer.ts';
import type { PathAnswer, PathRouter } from '../path-route.ts';
import { pathNotRouted } from '../api-errors.ts';
import type { RequestContext } from '../request.ts';
import type { ResourceRegistry } from '../resource-registry.ts';

/** Answers a path that is no resource of this server. */
export async function answerPath(
  paths: PathRouter,
  exchange: Exchange,
  context: RequestContext,
  registry: ResourceRegistry,
): Promise<number> {
  const { method, path, headers } = exchange;
  const route = paths.find(path);
  const answer = await route?.handle({ context, method, path, headers });
  if (answer !== undefined) {
    await sendPathAnswer(exchange, context, answer);
    return answer.status;
  }
  if (isServedGroup(path, registry)) throw pathNotRouted();
  return answerUnknownPath(exchange, context);
}

/** Below the path of a built-in group unknown paths get a Status, elsewhere text, as upstream. */
function isServedGroup(path: string, registry: ResourceRegistry): boolean {
  if (path.startsWith('/api/')) return true;
  const group = /^\/apis\/([^/]+)\//.exec(path)?.[1];
  if (group === undefined) return false;
  return registry.all().some((info) => info.group === group && info.typeName !== '');
}

/** 404 as Go's mux gives it: text, no Status. */
function answerUnknownPath(exchange: Exchange, context: RequestContext): number {
  answerText(exchange, context, { status: 404, text: '404 page not found' });
  return 404;
}

/** A line of text in the form of Go's http.Error. */
export function answerText(
  exchange: Exchange,
  context: RequestContext,
  answer: { status: number; text: string; headers?: Readonly<Record<string, string>> },
): void {
  const headers = {
    ...answerHeaders(context, 'text/plain; charset=utf-8'),
    'X-Content-Type-Options': 'nosniff',
    ...answer.headers,
  };
  exchange.answer(answer.status, headers, Buffer.from(`${answer.text}\n`));
}

async function sendPathAnswer(
  exchange: Exchange,
  context: RequestContext,
  answer: PathAnswer,
): Promise<void> {
  const { body } = answer;
  const isText = typeof body === 'string';
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json';
  const headers = answerHeaders(context, type);
  const known = new Map(Object.keys(headers).map((name) => [name.toLowerCase(), name]));
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    headers[known.get(name.toLowerCase()) ?? name] = value;
  }
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(isText ? body : JSON.stringify(body));
  const isPacked = Object.keys(headers).some((name) => name.toLowerCase() === 'content-encoding');
  if (isPacked) exchange.answer(answer.status, headers, bytes);
  else await sendBody(exchange, answer.status, headers, bytes);
}
