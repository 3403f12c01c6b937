import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

import type { AuditBackend } from './audit-backend.ts';
import type { AuditEvent } from './event.ts';

/** Where lines go: a file that rotates, or the standard output. */
export interface LineSink {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

export type LogMode = 'blocking' | 'blocking-strict';

/** Events that wait to be written before requests have to wait too. */
const maxPending = 1000;

/**
 * Writes events as lines in the order of their coming. `blocking-strict` makes requests wait for
 * the line, and fail without it; `blocking` makes them wait only when the sink cannot keep up.
 */
export function createLogBackend(options: {
  sink: LineSink;
  format: 'json' | 'legacy';
  mode: LogMode;
  log: Logger;
  onError: () => void;
}): AuditBackend {
  const { sink, format, mode, log, onError } = options;
  const line = format === 'json' ? jsonLine : legacyLine;
  let pending = 0;
  let lines: string[] = [];
  let running: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    try {
      await sink.write(text);
    } catch (error) {
      onError();
      log.error('Cannot write the audit log', { error: messageOf(error) });
      throw error;
    }
  };
  return {
    write(events) {
      for (const event of events) lines.push(line(event));
      pending += events.length;
      const written = running.then(flush).finally(() => {
        pending -= events.length;
      });
      running = written.catch(() => undefined);
      if (mode === 'blocking-strict') return written;
      return pending > maxPending ? running : undefined;
    },
    async close() {
      await running;
      await sink.close();
    },
  };
}

function jsonLine(event: AuditEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/** The text form of upstream's first audit log. */
function legacyLine(event: AuditEvent): string {
  const { user, impersonatedUser, objectRef, responseStatus } = event;
  const quotedGroups = (groups: readonly string[] | undefined): string =>
    (groups ?? []).map((name) => JSON.stringify(name)).join(',');
  const asGroups = impersonatedUser?.groups;
  const code = responseStatus?.code;
  const as = impersonatedUser?.username ?? '<self>';
  const asGroupText = asGroups === undefined ? '<lookup>' : quotedGroups(asGroups);
  return (
    `${event.requestReceivedTimestamp} AUDIT: id=${JSON.stringify(event.auditID)}` +
    ` stage=${JSON.stringify(event.stage)} ip=${JSON.stringify(event.sourceIPs?.[0] ?? '<unknown>')}` +
    ` method=${JSON.stringify(event.verb)} user=${JSON.stringify(user.username ?? '<none>')}` +
    ` groups=${JSON.stringify(quotedGroups(user.groups))} as=${JSON.stringify(as)}` +
    ` asgroups=${JSON.stringify(asGroupText)} user-agent=${JSON.stringify(event.userAgent ?? '')}` +
    ` namespace=${JSON.stringify(objectRef?.namespace ?? '<none>')}` +
    ` uri=${JSON.stringify(event.requestURI)}` +
    ` response=${JSON.stringify(code === undefined ? '<deferred>' : String(code))}\n`
  );
}
