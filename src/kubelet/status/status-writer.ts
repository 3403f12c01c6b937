import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { traced } from '#base/trace.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod, PodCondition, PodStatus } from '#schema/types.ts';
import { canonicalJson } from '../canonical-json.ts';
import { ownedConditions, terminationByKubelet } from './conditions.ts';
import { namespaceOf, podKey, uidOf } from '../pods/names.ts';

/** Sends pod statuses: one request at a time for each pod, always the newest, only on change. */
export interface StatusWriter {
  /** The status set last, or the API's when none was. */
  reported(pod: Pod): PodStatus;
  /** Returns at once. */
  set(pod: Pod, status: PodStatus): void;
  /** Resolves when the status set last is stored, or can never be. */
  flushed(uid: string): Promise<void>;
  /** The API's pod as the watch shows it; sends again what was lost or overwritten. */
  observe(pod: Pod): void;
  forget(uid: string): void;
  /** Resolves when nothing is being sent. */
  idle(): Promise<void>;
}

interface Entry {
  pod: Pod;
  status: PodStatus;
  text: string;
  /** What the API server has taken last. */
  sentText: string | undefined;
  sending: Promise<void> | undefined;
}

const firstRetryMs = 200;
const maxRetryMs = 10_000;

export function createStatusWriter(options: {
  client: Client;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /** The API's pod for a static pod's mirror; the pod itself for others. */
  apiPod: (pod: Pod) => Pod | undefined;
}): StatusWriter {
  const { client, clock, log, signal, apiPod } = options;
  const entries = new Map<string, Entry>();

  const send = async (entry: Entry): Promise<void> => {
    const target = apiPod(entry.pod);
    if (target === undefined) return;
    const { text, status } = entry;
    await traced('pod.patch-status', { key: podKey(entry.pod), uid: uidOf(entry.pod) }, () =>
      client.patch(resources.pods, target.metadata.name, statusPatch(target, status), {
        namespace: namespaceOf(target),
        subresource: 'status',
        signal,
      }),
    );
    entry.sentText = text;
  };
  const run = async (entry: Entry): Promise<void> => {
    let retryMs = firstRetryMs;
    while (entry.sentText !== entry.text && !signal.aborted) {
      if (entries.get(uidOf(entry.pod)) !== entry) return;
      if (apiPod(entry.pod) === undefined) return;
      try {
        await send(entry);
        retryMs = firstRetryMs;
      } catch (error) {
        if (signal.aborted || isGone(error)) {
          entry.sentText = entry.text;
          return;
        }
        log.debug('pod status was not taken', { pod: podKey(entry.pod), error: messageOf(error) });
        await clock.sleep(retryMs, signal).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, maxRetryMs);
      }
    }
  };
  const start = (entry: Entry): void => {
    if (entry.sending !== undefined || entry.sentText === entry.text) return;
    entry.sending = run(entry).finally(() => {
      entry.sending = undefined;
    });
  };

  return {
    reported: (pod) => entries.get(uidOf(pod))?.status ?? pod.status ?? {},
    set(pod, status) {
      const uid = uidOf(pod);
      const text = ownText(status);
      const entry = entries.get(uid);
      if (entry === undefined) {
        const created = { pod, status, text, sentText: undefined, sending: undefined };
        entries.set(uid, created);
        start(created);
        return;
      }
      entry.pod = pod;
      if (entry.text === text) {
        start(entry);
        return;
      }
      entry.status = status;
      entry.text = text;
      start(entry);
    },
    async flushed(uid) {
      const entry = entries.get(uid);
      if (entry === undefined) return;
      start(entry);
      await entry.sending;
    },
    observe(pod) {
      const entry = entries.get(uidOf(pod));
      if (entry === undefined || entry.sending !== undefined) return;
      // An event from before our patch looks the same; sending again then changes nothing.
      if (pod.status?.phase !== entry.status.phase) entry.sentText = undefined;
      start(entry);
    },
    forget: (uid) => void entries.delete(uid),
    async idle() {
      for (const { sending } of entries.values()) await sending;
    },
  };
}

/** What of a status the kubelet answers for: conditions of others come and go without it. */
function ownText(status: PodStatus): string {
  const conditions = (status.conditions ?? []).filter(isOwn);
  return JSON.stringify({ ...status, conditions });
}

function isOwn({ type, reason }: PodCondition): boolean {
  return ownedConditions.has(type) || reason === terminationByKubelet;
}

/** Gone, or another pod of the same name by now (the uid in the patch does not match). */
function isGone(error: unknown): boolean {
  return hasReason(error, 'NotFound') || hasReason(error, 'Conflict');
}

/** Strategic: conditions of others stay. Lists of addresses are replaced as a whole. */
function statusPatch(target: Pod, status: PodStatus) {
  const before = target.status ?? {};
  const body: Record<string, unknown> = { ...status };
  for (const field of ['podIPs', 'hostIPs'] as const) {
    const [list, known] = [status[field], before[field]];
    if (list === undefined || known === undefined) continue;
    if (canonicalJson(list) !== canonicalJson(known))
      body[field] = [...list, { $patch: 'replace' }];
  }
  for (const field of ['reason', 'message'] as const) {
    if (status[field] === undefined && before[field] !== undefined) body[field] = null;
  }
  const known = before.conditions ?? [];
  const own = (status.conditions ?? []).filter(isOwn);
  const gone = known.filter(
    ({ type }) => ownedConditions.has(type) && own.every((condition) => condition.type !== type),
  );
  body['conditions'] = [
    ...own.map((condition) =>
      withNulls(
        condition,
        known.find(({ type }) => type === condition.type),
      ),
    ),
    ...gone.map(({ type }) => ({ $patch: 'delete', type })),
  ];
  return {
    type: 'strategic' as const,
    body: { metadata: { uid: target.metadata.uid }, status: body },
  };
}

/** A condition merges field by field: what it no longer has must be taken away. */
function withNulls(condition: PodCondition, known: PodCondition | undefined): object {
  const gone = (['reason', 'message'] as const).filter(
    (field) => condition[field] === undefined && known?.[field] !== undefined,
  );
  return { ...condition, ...Object.fromEntries(gone.map((field) => [field, null])) };
}
