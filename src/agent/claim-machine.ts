import { once } from 'node:events';
import { createServer } from 'node:net';

import type { Clock } from '#base/clock.ts';
import { K3tsError, hasCode } from '#base/errors.ts';

/** In Linux' abstract namespace: no file stays behind, and the name is free when its owner dies. */
const defaultName = '\0k3ts-agent';
const retryMs = 100;

/**
 * Makes this process the only agent of the machine; two would share runtime, cgroups and network.
 * Waits a little for an agent that is just ending. Returns how to give the claim back.
 */
export async function claimMachine(options: {
  clock: Clock;
  signal: AbortSignal;
  waitMs?: number | undefined;
  name?: string | undefined;
}): Promise<() => void> {
  const { clock, signal, waitMs = 3000, name = defaultName } = options;
  const endMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const server = createServer((socket) => void socket.destroy());
    server.listen(name);
    try {
      await once(server, 'listening');
      server.unref();
      return () => void server.close();
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE')) throw error;
      if (clock.monotonicMs() >= endMs) {
        throw new K3tsError('Usage', 'another k3ts server or agent runs this node already', {
          cause: error,
        });
      }
    }
    await clock.sleep(retryMs, signal);
  }
}
