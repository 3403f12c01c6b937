import { setImmediate as nextTurn } from 'node:timers/promises';

import { encodeProtobufList } from '#schema/protobuf/mod.ts';
import { notAcceptable } from '../api-errors.ts';
import type { CacheEntry } from '../cache/mod.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ListPage } from '../handlers/list.ts';
import type { AnswerForm } from '../negotiate.ts';
import { acceptedTypes, wantsPretty } from '../negotiate.ts';
import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { prepareEntries, servedBytes, servedObject } from '../resource-registry.ts';
import { BodyWriter, sendBody } from './body-writer.ts';
import { answerHeaders } from './headers.ts';
import type { PiecePool } from './piece-pool.ts';
import { protobufItemsOf } from './protobuf-items.ts';
import { refuseProtobuf } from './protobuf-refusal.ts';
import type { IncludeObject } from './table.ts';
import {
  columnsJson,
  includeObjectOf,
  partialMetadata,
  partialStart,
  rowStart,
  tableRow,
} from './table.ts';
import { contentTypes, encodeValue } from './value-answer.ts';

/** Items encoded to protobuf before other work gets a turn: about 5 ms. */
const itemsPerTurn = 200;
const comma = 0x2c;
const brace = 0x7b;

/** Answers with a page of objects, from their bytes; nothing is parsed for a plain list. */
export async function sendList(
  exchange: Exchange,
  context: RequestContext,
  served: ServedResource,
  page: ListPage,
  options: { form: AnswerForm; nowMs: number; pieces: PiecePool },
): Promise<void> {
  const { form, nowMs } = options;
  refuseProtobuf(served, form, true);
  await prepareEntries(served, page.entries);
  const headers = answerHeaders(context, contentTypes[form.media]);
  if (form.media === 'protobuf' && form.as === undefined) {
    const { head, items, tail } = await protobufParts(served, page);
    const writer = new BodyWriter(exchange, 200, headers, options.pieces);
    writer.bytes(head, 0);
    for (const item of items) {
      writer.bytes(item, 0);
      if (writer.isFull) await writer.flush();
    }
    writer.bytes(tail, 0);
    await writer.end();
    return;
  }
  if (form.media !== 'json' || wantsPretty(exchange.query, context.userAgent, form)) {
    const include = includeObjectOf(context.query, form.as);
    const value =
      form.as === undefined
        ? listValue(served, page)
        : shapedValue(served, page, { as: form.as, include, nowMs });
    await sendBody(exchange, 200, headers, encodeValue(value, form, true));
    return;
  }
  const writer = new BodyWriter(exchange, 200, headers, options.pieces);
  if (form.as === 'Table') {
    await writeTable(writer, served, page, includeObjectOf(context.query, form.as), nowMs);
  } else if (form.as === undefined) {
    await writeList(writer, served, page);
  } else {
    await writePartial(writer, served, page);
  }
  await writer.end();
}

async function writeList(
  writer: BodyWriter,
  served: ServedResource,
  page: ListPage,
): Promise<void> {
  const { listKind } = served.info;
  const { apiVersion, itemOffset } = served.layout;
  // custom resources keep apiVersion and kind in lists, built-in ones do not, as upstream
  const cut = served.info.typeName === '' ? 1 : itemOffset;
  writer.text(
    `{"kind":${JSON.stringify(listKind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${metadataJson(page)},"items":[`,
  );
  let isFirst = true;
  for (const entry of page.entries) {
    if (isFirst) isFirst = false;
    else writer.byte(comma);
    writer.byte(brace);
    writer.bytes(servedBytes(served, entry), cut);
    if (writer.isFull) await writer.flush();
  }
  writer.text(']}');
}

/** Items are encoded once and kept, see ProtobufItems; others get a turn in between. */
async function protobufParts(
  served: ServedResource,
  page: ListPage,
): Promise<{ head: Buffer; items: readonly Buffer[]; tail: Buffer }> {
  const kept = protobufItemsOf(served);
  const items: Buffer[] = [];
  let sizeBytes = 0;
  for (const entry of page.entries) {
    const item = kept.get(entry);
    if (items.push(item) % itemsPerTurn === 0) await nextTurn();
    sizeBytes += item.length;
  }
  const list = {
    kind: served.info.listKind,
    apiVersion: served.layout.apiVersion,
    metadata: shownMetadata(page),
  };
  const frame = encodeProtobufList(list, sizeBytes);
  if (frame === undefined) throw notAcceptable(acceptedTypes.slice(0, 2));
  return { ...frame, items };
}

async function writePartial(
  writer: BodyWriter,
  served: ServedResource,
  page: ListPage,
): Promise<void> {
  writer.text(
    `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":${metadataJson(page)},"items":[`,
  );
  let separator = '';
  for (const entry of page.entries) {
    writer.text(separator);
    separator = ',';
    writePartialObject(writer, entry, served);
    if (writer.isFull) await writer.flush();
  }
  writer.text(']}');
}

async function writeTable(
  writer: BodyWriter,
  served: ServedResource,
  page: ListPage,
  include: IncludeObject,
  nowMs: number,
): Promise<void> {
  writer.text(
    `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":${metadataJson(page)},"columnDefinitions":${columnsJson(served)},"rows":[`,
  );
  let separator = '';
  for (const entry of page.entries) {
    writer.text(`${separator}{${rowStart(served, entry, nowMs)},"object":`);
    separator = ',';
    if (include === 'None') writer.text('null');
    else if (include === 'Object') writer.bytes(servedBytes(served, entry), 0);
    else writePartialObject(writer, entry, served);
    writer.text('}');
    if (writer.isFull) await writer.flush();
  }
  writer.text(']}');
}

function writePartialObject(writer: BodyWriter, entry: CacheEntry, served: ServedResource): void {
  if (served.custom !== undefined && servedBytes(served, entry) !== entry.bytes) {
    const { metadata } = servedObject(served, entry);
    writer.text(`${partialStart}${JSON.stringify(metadata)}}`);
    return;
  }
  writer.text(partialStart);
  const { itemOffset } = storedLayout(served);
  writer.bytes(entry.bytes, itemOffset + '"metadata":'.length, entry.metadataEnd(itemOffset));
  writer.text('}');
}

function storedLayout(served: ServedResource): ServedResource['layout'] {
  return served.custom === undefined ? (served.cache?.layout ?? served.layout) : served.layout;
}

function metadataJson(page: ListPage): string {
  return JSON.stringify(shownMetadata(page));
}

/** Lists of what is stored nowhere have no revision. */
function shownMetadata(page: ListPage): Partial<ReturnType<typeof listMetadata>> {
  const { resourceVersion, ...rest } = listMetadata(page);
  return page.revision === 0 ? rest : { resourceVersion, ...rest };
}

export function listMetadata(page: ListPage): {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
} {
  return {
    resourceVersion: String(page.revision),
    ...(page.continueToken === '' ? {} : { continue: page.continueToken }),
    ...(page.remainingItemCount === undefined || page.continueToken === ''
      ? {}
      : { remainingItemCount: page.remainingItemCount }),
  };
}

/** A list in another shape as a value, for the media types that are not written from bytes. */
function shapedValue(
  served: ServedResource,
  page: ListPage,
  options: { as: NonNullable<AnswerForm['as']>; include: IncludeObject; nowMs: number },
): object {
  const apiVersion = 'meta.k8s.io/v1';
  const metadata = shownMetadata(page);
  const objects = page.entries.map((entry) => servedObject(served, entry));
  if (options.as !== 'Table') {
    const items = objects.map(partialMetadata);
    return { kind: 'PartialObjectMetadataList', apiVersion, metadata, items };
  }
  const rows = objects.map((object) => tableRow(served, object, options.include, options.nowMs));
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions: JSON.parse(columnsJson(served)) as unknown,
    rows,
  };
}

function listValue(served: ServedResource, page: ListPage): object {
  return {
    kind: served.info.listKind,
    apiVersion: served.layout.apiVersion,
    metadata: shownMetadata(page),
    items: page.entries.map((entry) => {
      const object = servedObject(served, entry);
      if (served.info.typeName === '') return object;
      const { kind: _kind, apiVersion: _apiVersion, ...item } = object;
      return item;
    }),
  };
}
