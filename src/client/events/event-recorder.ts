import { ApiStatusError, hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { BoundedQueue } from '#base/queue.ts';
import type { Random } from '#base/random.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { CoreV1Event, ObjectReference } from '#schema/types.ts';
import type { Client } from '../client.ts';
import { resources } from '../resources.ts';
import { createEventCorrelator } from './event-correlator.ts';
import type { EventRecord } from './event-correlator.ts';

/** Events that wait to be written; more are dropped, as in client-go. */
const maxQueued = 1000;

/** client-go tries 12 times in two minutes when the server cannot be reached. */
const maxTries = 12;
const retryMs = 10_000;

export interface EventRecorder {
  /**
   * Notes an event about an object (or a part of it, with `fieldPath`). Returns at once; written in
   * the background, in order. Never fails: events are best effort.
   */
  event(
    about: KubeObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options?: {
      fieldPath?: string;
      annotations?: Record<string, string>;
      /** What the reporter did, such as Binding; and the other object that it is about. */
      action?: string;
      related?: KubeObject | undefined;
    },
  ): void;
  /** Resolves when everything noted so far is written or given up. */
  flush(): Promise<void>;
}

interface Pending {
  record: EventRecord;
  reference: ObjectReference;
  type: string;
  reason: string;
  message: string;
  atMs: number;
  count: number;
  annotations: Record<string, string> | undefined;
  action: string | undefined;
  related: ObjectReference | undefined;
}

/**
 * Writes core/v1 Events like client-go's recorder: repeats count up, floods are folded and dropped.
 */
export function createEventRecorder(options: {
  client: Client;
  clock: Clock;
  random: Random;
  log: Logger;
  /** source.component and reportingComponent: kubelet, deployment-controller, … */
  component: string;
  /** source.host: the node's name, for kubelet. */
  host?: string | undefined;
  signal: AbortSignal;
}): EventRecorder {
  const { clock, log, component, host = '', signal } = options;
  const correlator = createEventCorrelator(clock);
  const queue = new BoundedQueue<Pending>(maxQueued);
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (signal.aborted) return;
      await writeWithRetries(options, next);
    }
  };
  const start = (): void => {
    running ??= run().finally(() => {
      running = undefined;
      if (queue.size > 0 && !signal.aborted) start();
    });
  };

  return {
    event(about, type, reason, message, extra = {}) {
      if (signal.aborted) return;
      const reference = referenceTo(about, extra.fieldPath);
      const { kind, namespace, name, uid, apiVersion, fieldPath } = reference;
      const record = correlator.correlate({
        source: `${component}\n${host}`,
        subject: [kind, namespace, name, uid, apiVersion, fieldPath].join('\n'),
        type,
        reason,
        message,
      });
      if (record === undefined) return;
      if (queue.size >= maxQueued) {
        log.debug('too many events wait, one is dropped', { reason, name });
        return;
      }
      queue.push({
        record,
        reference,
        type,
        reason,
        message: record.message,
        atMs: clock.now(),
        count: record.count,
        annotations: extra.annotations,
        action: extra.action,
        related: extra.related === undefined ? undefined : referenceTo(extra.related, undefined),
      });
      start();
    },
    async flush() {
      await running;
      if (queue.size > 0 && !signal.aborted) await this.flush();
    },
  };
}

function referenceTo(
  about: KubeObject | ObjectReference,
  fieldPath: string | undefined,
): ObjectReference {
  if (!('metadata' in about)) {
    return fieldPath === undefined ? about : { ...about, fieldPath };
  }
  const { namespace, name, uid, resourceVersion } = about.metadata;
  return {
    kind: about.kind,
    namespace,
    name,
    uid,
    apiVersion: about.apiVersion,
    resourceVersion,
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

type RecorderOptions = Parameters<typeof createEventRecorder>[0];

async function writeWithRetries(options: RecorderOptions, pending: Pending): Promise<void> {
  const { clock, random, log, signal } = options;
  const { reason } = pending;
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      await write(options, pending);
      return;
    } catch (error) {
      const isRefused = error instanceof ApiStatusError && error.httpCode < 500;
      if (isRefused || tries >= maxTries) {
        if (isNamespaceGone(error)) return;
        log.warning('event not written', { reason, error: messageOf(error), tries });
        return;
      }
      // The first wait is random, so that all components do not come back at once.
      const waitMs = tries === 1 ? retryMs * random.float() : retryMs;
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }
}

/** Nothing to tell anybody: the namespace goes away with its events. */
function isNamespaceGone(error: unknown): boolean {
  return (
    error instanceof ApiStatusError &&
    (error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true ||
      error.reason === 'NotFound')
  );
}

async function write(options: RecorderOptions, pending: Pending): Promise<void> {
  const { client, signal } = options;
  const { record, count, message } = pending;
  if (record.stored !== undefined) {
    const { name, namespace } = record.stored;
    const body = { count, message, lastTimestamp: formatTime(pending.atMs) };
    try {
      const writeOptions = { namespace, signal };
      await client.patch(resources.events, name, { type: 'merge', body }, writeOptions);
      return;
    } catch (error) {
      // Events live for an hour only: a repeat may come after its end.
      if (!hasReason(error, 'NotFound')) throw error;
      record.stored = undefined;
      record.firstMs = pending.atMs;
    }
  }
  const event = eventObject(options, pending);
  const { name, namespace = 'default' } = event.metadata;
  await client.create<CoreV1Event>(resources.events, event, { namespace, signal });
  record.stored = { name, namespace };
}

function eventObject(options: RecorderOptions, pending: Pending): CoreV1Event {
  const { component, host = '', random } = options;
  const { record, reference, type, reason, message, atMs, count, annotations } = pending;
  const { action, related } = pending;
  const nanoseconds = BigInt(Math.round(atMs)) * 1_000_000n + BigInt(random.integer(1_000_000));
  const { namespace = '' } = reference;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${reference.name ?? ''}.${nanoseconds.toString(16)}`,
      namespace: namespace === '' ? 'default' : namespace,
      ...(annotations === undefined ? {} : { annotations }),
    },
    involvedObject: reference,
    reason,
    message,
    source: { component, ...(host === '' ? {} : { host }) },
    firstTimestamp: formatTime(record.firstMs),
    lastTimestamp: formatTime(atMs),
    count,
    type,
    ...(action === undefined ? {} : { action }),
    ...(related === undefined ? {} : { related }),
    reportingComponent: component,
    reportingInstance: host,
  };
}
