import type { UnknownObject } from '#schema/mod.ts';
import { encodeProtobuf, frameWatchEvent, protobufMediaType } from '#schema/protobuf/mod.ts';
import type { CacheEntry, CacheEvent, Delivery } from '../cache/mod.ts';
import type { Exchange } from '../http/exchange.ts';
import { SharedPiece } from '../http/exchange.ts';
import type { WatchItem, WatchSession } from '../handlers/watch.ts';
import type { AnswerForm } from '../negotiate.ts';
import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { servedBytes, servedObject } from '../resource-registry.ts';
import { answerHeaders } from './headers.ts';
import { listBlueprint } from './list-blueprint.ts';
import { refuseProtobuf } from './protobuf-refusal.ts';
import type { IncludeObject } from './table.ts';
import { includeObjectOf, partialMetadata, tableOf } from './table.ts';

/** A client with this much waiting gets nothing more until it has caught up. */
const maxPendingBytes = 1024 * 1024;
/** Other shapes in which a watch shows objects. */
export const watchShapes = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];
/** Items written in one turn. */
const itemsPerTurn = 200;

/** Frames made for events, by form; shared by all watchers that want the same. */
export class FrameCache {
  readonly #byEvent = new Map<CacheEvent, Map<string, SharedPiece>>();
  readonly #maxEvents: number;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  get(event: CacheEvent, form: string, make: () => Buffer): SharedPiece {
    let frames = this.#byEvent.get(event);
    if (frames === undefined) {
      frames = new Map();
      this.#byEvent.set(event, frames);
      if (this.#byEvent.size > this.#maxEvents) {
        for (const oldest of this.#byEvent.keys()) {
          this.#byEvent.delete(oldest);
          break;
        }
      }
    }
    let piece = frames.get(form);
    if (piece === undefined) {
      piece = new SharedPiece(make());
      frames.set(form, piece);
    }
    return piece;
  }
}

/**
 * Answers with a watch: one JSON event a line, until the session ends or the client goes. A slow
 * client is not written to; the session ends when its place in the cache is overwritten.
 */
export function sendWatch(
  exchange: Exchange,
  context: RequestContext,
  session: WatchSession,
  options: {
    form: AnswerForm;
    frames: FrameCache;
    /** Told the size of each event. */
    count?: ((sizeBytes: number) => void) | undefined;
    now: () => number;
  },
): Promise<void> {
  const { form, frames, count, now } = options;
  refuseProtobuf(session.served, form, false);
  const contentType =
    form.media === 'protobuf' ? `${protobufMediaType};stream=watch` : 'application/json';
  const include = includeObjectOf(context.query, form.as);
  const stream = exchange.stream(200, answerHeaders(context, contentType));
  const encoder = new WatchEncoder(session.served, form, include, frames, now);
  return new Promise((resolve) => {
    let isBlocked = false;
    let isScheduled = false;
    const finish = (): void => {
      session.onWake = () => undefined;
      session.close();
      if (!stream.isClosed) stream.end();
      resolve();
    };
    const pump = (): void => {
      isScheduled = false;
      if (stream.isClosed) {
        finish();
        return;
      }
      let written = 0;
      stream.cork();
      while (!isBlocked && written < itemsPerTurn) {
        const item = session.next();
        if (item === undefined) break;
        written++;
        const piece = encoder.encode(item);
        count?.(piece.bytes.length);
        const isReady = stream.writeShared(piece);
        isBlocked = !isReady && stream.pendingBytes > maxPendingBytes;
      }
      stream.uncork();
      if (session.isEnded) finish();
      else if (written === itemsPerTurn && !isBlocked) schedule();
    };
    const schedule = (): void => {
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(pump);
    };
    session.onWake = () => {
      if (session.isEnded || (!isBlocked && !isScheduled)) pump();
    };
    stream.onDrain(() => {
      if (!isBlocked) return;
      isBlocked = false;
      schedule();
    });
    exchange.onClose(finish);
    pump();
    context.trail?.onBegun?.();
  });
}

/** Turns what a watch has to tell into the lines that a client reads. */
export class WatchEncoder {
  readonly #served: ServedResource;
  readonly #form: AnswerForm;
  readonly #include: IncludeObject;
  readonly #frames: FrameCache;
  readonly #now: () => number;
  readonly #frameKey: string;
  #hasColumns = true;

  constructor(
    served: ServedResource,
    form: AnswerForm,
    include: IncludeObject,
    frames: FrameCache,
    now: () => number,
  ) {
    this.#served = served;
    this.#form = form;
    this.#include = include;
    this.#frames = frames;
    this.#now = now;
    this.#frameKey = `${served.layout.apiVersion}/${form.media}/${form.as ?? ''}/`;
  }

  encode(item: WatchItem): SharedPiece {
    switch (item.kind) {
      case 'initial':
        return new SharedPiece(this.#entryFrame('ADDED', item.entry));
      case 'change':
        return this.#change(item.delivery);
      case 'bookmark':
        return new SharedPiece(this.#bookmark(item.revision, item.isInitialEnd));
      case 'error':
        return new SharedPiece(this.#line('ERROR', item.status));
    }
  }

  #change(delivery: Delivery): SharedPiece {
    const { event, type } = delivery;
    const make = (): Buffer => this.#entryFrame(type, shownEntry(this.#served, delivery));
    if (this.#form.as === 'Table') return new SharedPiece(make());
    return this.#frames.get(event, this.#frameKey + type, make);
  }

  #entryFrame(type: string, entry: CacheEntry): Buffer {
    const { as, media } = this.#form;
    if (as === undefined && media !== 'protobuf') {
      return frame(type, servedBytes(this.#served, entry));
    }
    const object = servedObject(this.#served, entry);
    if (as === undefined) return this.#line(type, object);
    return this.#line(type, as === 'Table' ? this.#table(object) : partialMetadata(object));
  }

  #line(type: string, object: object): Buffer {
    if (this.#form.media !== 'protobuf') return lineOf(type, object);
    return frameWatchEvent(type, encodeProtobuf(object) ?? Buffer.alloc(0));
  }

  #table(object: UnknownObject): object {
    const hasColumns = this.#hasColumns;
    this.#hasColumns = false;
    return tableOf(this.#served, object, {
      include: this.#include,
      nowMs: this.#now(),
      hasColumns,
    });
  }

  #bookmark(revision: number, isInitialEnd: boolean): Buffer {
    const metadata = {
      resourceVersion: String(revision),
      ...(isInitialEnd ? { annotations: this.#endOfInitial() } : {}),
    };
    const { kind, apiVersion } = this.#served.layout;
    if (this.#form.as === 'Table') {
      const object = { kind, apiVersion, metadata } as unknown as UnknownObject;
      return lineOf('BOOKMARK', {
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { resourceVersion: metadata.resourceVersion },
        columnDefinitions: null,
        rows: [{ cells: [], object: partialMetadata(object) }],
      });
    }
    if (this.#form.as !== undefined) {
      return this.#line('BOOKMARK', {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata,
      });
    }
    return this.#line('BOOKMARK', { kind, apiVersion, metadata });
  }

  #endOfInitial(): Record<string, string> {
    const blueprint = listBlueprint(this.#served, this.#form);
    return {
      'k8s.io/initial-events-end': 'true',
      ...(blueprint === undefined
        ? {}
        : { 'kubernetes.io/initial-events-list-blueprint': blueprint }),
    };
  }
}

/** Earlier states as entries of their own, while somebody holds the delivery. */
const earlierStates = new WeakMap<Delivery, CacheEntry>();

/**
 * The entry that a delivery shows; an earlier state gets the revision of the event. The same entry
 * each time it is asked for.
 */
export function shownEntry(served: ServedResource, delivery: Delivery): CacheEntry {
  const { entry, event, isCurrent } = delivery;
  const layout = served.cache?.layout;
  if (isCurrent || layout === undefined) return entry;
  let shown = earlierStates.get(delivery);
  if (shown === undefined) {
    shown = entry.at(event.revision, layout.reencode(entry.bytes).bytes(event.revision));
    earlierStates.set(delivery, shown);
  }
  return shown;
}

function lineOf(type: string, object: unknown): Buffer {
  return Buffer.from(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
}

function frame(type: string, object: Buffer): Buffer {
  const start = `{"type":"${type}","object":`;
  const line = Buffer.allocUnsafeSlow(start.length + object.length + 2);
  line.write(start, 0, 'latin1');
  object.copy(line, start.length);
  line.write('}\n', start.length + object.length, 'latin1');
  return line;
}
