import { answerHeaders } from '../answers/headers.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendBody } from '../answers/body-writer.ts';
import type { PathAnswer, PathRouter } from '../path-route.ts';
import type { RequestContext } from '../request.ts';

/** Answers a path that is no resource of this server. */
export async function answerPath(
  paths: PathRouter,
  exchange: Exchange,
  context: RequestContext,
): Promise<number> {
  const { method, path, headers } = exchange;
  const route = paths.find(path);
  const answer = await route?.handle({ context, method, path, headers });
  if (answer !== undefined) {
    await sendPathAnswer(exchange, context, answer);
    return answer.status;
  }
  return answerUnknownPath(exchange, context);
}

/** 404 as Go's mux gives it: text, no Status. */
function answerUnknownPath(exchange: Exchange, context: RequestContext): number {
  const headers = answerHeaders(context, 'text/plain; charset=utf-8');
  headers['X-Content-Type-Options'] = 'nosniff';
  exchange.answer(404, headers, Buffer.from('404 page not found\n'));
  return 404;
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
  await sendBody(exchange, answer.status, headers, bytes);
}
