import type { AuditEvent } from './event.ts';

/** Takes audit events somewhere. */
export interface AuditBackend {
  /**
   * Takes events over, in order. A promise means: wait before the request goes on (the backend is
   * slow, or strict); it rejects when the events could not be written and the request must fail.
   */
  write(events: readonly AuditEvent[]): Promise<void> | undefined;
  /** Writes what is left, then ends. */
  close(): Promise<void>;
}

/** All backends get all events. */
export function joinBackends(backends: readonly AuditBackend[]): AuditBackend {
  return {
    write(events) {
      const waits = backends.flatMap((backend) => backend.write(events) ?? []);
      if (waits.length === 0) return undefined;
      return Promise.all(waits).then(() => undefined);
    },
    async close() {
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}
