import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

import { AllocationError } from './allocation-error.ts';
import type { AllocatorMeter } from './allocator-meter.ts';
import type { Reservation } from './reservation.ts';
import type { StoredPorts } from './stored-ports.ts';

/** First number that a dry run is told; nothing is looked up for it, as upstream. */
const dryRunPort = 32_769;

/** Takes node ports for one write. */
export interface PortOperation {
  /** Throws AllocationError when the port is taken or out of range. */
  take(port: number): Promise<void>;
  takeAny(): Promise<number>;
}

/** What is taken goes into the reservation; a dry run takes nothing. */
export function startPortOperation(options: {
  ports: StoredPorts;
  meter: AllocatorMeter;
  reservation: Reservation;
  dryRun: boolean;
  log: Logger;
}): PortOperation {
  const { ports, meter, reservation, log } = options;
  if (options.dryRun) return tryOut(ports);
  const giveBack = (port: number): void =>
    reservation.onGiveUp(() => releasePorts(ports, [port], log));
  return {
    async take(port) {
      await meter.portAllocation('static', () => ports.change((set) => set.take(port)));
      giveBack(port);
    },
    async takeAny() {
      const port = await meter.portAllocation('dynamic', () =>
        ports.change((set) => set.takeAny()),
      );
      giveBack(port);
      return port;
    },
  };
}

/** Gives ports back; what fails is logged and left to the repair. */
export async function releasePorts(
  stored: StoredPorts,
  ports: readonly number[],
  log: Logger,
): Promise<void> {
  if (ports.length === 0) return;
  try {
    await stored.change((set) => {
      for (const port of ports) set.release(port);
    });
  } catch (error) {
    log.warning('cannot release node ports', {
      ports: ports.join(),
      error: messageOf(error),
    });
  }
}

function tryOut(ports: StoredPorts): PortOperation {
  const tried = new Set<number>();
  return {
    async take(port) {
      if (tried.has(port) || (await ports.read()).has(port)) {
        throw new AllocationError('Allocated', 'provided port is already allocated');
      }
      tried.add(port);
    },
    async takeAny() {
      const port = Math.max(dryRunPort - 1, ...tried) + 1;
      tried.add(port);
      return port;
    },
  };
}
