import diagnosticsChannel from 'node:diagnostics_channel';

/** What a step is about; filled in as far as it is known. */
export interface TraceSubject {
  /** Storage-like key of the object: pods/default/web-0. */
  key?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  detail?: string | undefined;
}

/** A step of one of the journeys that ended (or failed, then with an error). */
export interface TraceStep extends TraceSubject {
  /** Journey and step, as `write.commit` or `pod.run-sandbox`. */
  step: string;
  startMs: number;
  endMs: number;
  error?: string | undefined;
}

const channel = diagnosticsChannel.channel('k3ts:step');

/** Calls `listener` for each step until the returned function is called. */
export function onTraceStep(listener: (step: TraceStep) => void): () => void {
  const receive = (message: unknown): void => listener(message as TraceStep);
  channel.subscribe(receive);
  return () => channel.unsubscribe(receive);
}

/** Runs `work` as a step; costs one property read when nobody listens. */
export function traced<T>(step: string, subject: TraceSubject, work: () => Promise<T>): Promise<T> {
  return channel.hasSubscribers ? published(step, subject, work) : work();
}

async function published<T>(
  step: string,
  subject: TraceSubject,
  work: () => Promise<T>,
): Promise<T> {
  const startMs = performance.timeOrigin + performance.now();
  let error: string | undefined;
  try {
    return await work();
  } catch (caught) {
    error = caught instanceof Error ? caught.message : String(caught);
    throw caught;
  } finally {
    const endMs = performance.timeOrigin + performance.now();
    channel.publish({ ...subject, step, startMs, endMs, error } satisfies TraceStep);
  }
}

/** Publishes a step that takes no time: a decision or an arrival. */
export function traceMark(step: string, subject: () => TraceSubject): void {
  if (!channel.hasSubscribers) return;
  const nowMs = performance.timeOrigin + performance.now();
  channel.publish({ ...subject(), step, startMs: nowMs, endMs: nowMs } satisfies TraceStep);
}
