import type { StatusBody } from '#base/api-status-error.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { CacheEntry } from '../cache/mod.ts';
import type { Exchange } from '../http/exchange.ts';
import type { AnswerForm } from '../negotiate.ts';
import { wantsPretty } from '../negotiate.ts';
import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { prepareEntries, servedBytes, servedObject } from '../resource-registry.ts';
import { sendBody } from './body-writer.ts';
import { refuseProtobuf } from './protobuf-refusal.ts';
import { answerHeaders } from './headers.ts';
import { includeObjectOf, partialMetadata, tableOf } from './table.ts';
import { contentTypes, encodeValue } from './value-answer.ts';

/** Answers with one stored object: its bytes as they are whenever the client takes them. */
export async function sendEntry(
  exchange: Exchange,
  context: RequestContext,
  served: ServedResource,
  entry: CacheEntry,
  options: { status: number; form: AnswerForm; nowMs: number },
): Promise<void> {
  const { form, status, nowMs } = options;
  refuseProtobuf(served, form, false);
  await prepareEntries(served, [entry]);
  const isPretty = wantsPretty(exchange.query, context.userAgent, form);
  const headers = answerHeaders(context, contentTypes[form.media]);
  if (form.as === undefined && form.media === 'json' && !isPretty) {
    await sendBody(exchange, status, headers, servedBytes(served, entry));
    return;
  }
  const object = servedObject(served, entry);
  const value =
    form.as === undefined
      ? inOrder(served, object)
      : form.as === 'Table'
        ? tableOf(served, object, {
            include: includeObjectOf(context.query, form.as),
            nowMs,
            hasColumns: true,
          })
        : partialMetadata(object);
  await sendBody(exchange, status, headers, encodeValue(value, form, isPretty));
}

/** Answers with something that is not stored: a Status, a Scale, a review. */
export async function sendValue(
  exchange: Exchange,
  context: RequestContext,
  value: UnknownObject | StatusBody | object,
  options: { status: number; form: AnswerForm },
): Promise<void> {
  const { form, status } = options;
  const headers = answerHeaders(context, contentTypes[form.media]);
  const retryAfter = (value as StatusBody).details?.retryAfterSeconds;
  if (status >= 400 && retryAfter !== undefined && retryAfter > 0) {
    headers['Retry-After'] = String(retryAfter);
  }
  const isPretty = wantsPretty(exchange.query, context.userAgent, form);
  await sendBody(exchange, status, headers, encodeValue(value, form, isPretty));
}

/** Kind and apiVersion first, as the bytes have them. */
function inOrder(served: ServedResource, object: UnknownObject): UnknownObject {
  const { kind, apiVersion } = served.layout;
  return { kind, apiVersion, ...object };
}
