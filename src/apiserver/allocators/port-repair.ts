import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { EventRecorder } from '#client/mod.ts';
import type { Service } from '#schema/types.ts';

import { AllocationError } from './allocation-error.ts';
import { PortSet, portRangeText } from './port-range.ts';
import type { PortRange } from './port-range.ts';
import type { StoredPorts } from './stored-ports.ts';

/** So often a port is seen without a Service before it is free: its Service may be on its way. */
const looksBeforeCleanup = 3;

/** Brings the stored node ports in line with the Services, as upstream's repair does. */
export interface PortRepair {
  /** Never rejects: what fails is logged and tried again with the next run. */
  run(): Promise<void>;
}

export function createPortRepair(options: {
  services: () => readonly Service[];
  ports: StoredPorts;
  range: PortRange;
  random: Random;
  recorder: EventRecorder;
  log: Logger;
}): PortRepair {
  const { ports, range, random, recorder, log } = options;
  /** How often each leaked port is still to be seen. */
  let leaks = new Map<number, number>();

  function warn(service: Service, reason: string, message: string): void {
    const { namespace = '', name } = service.metadata;
    log.warning(message, { reason, service: `${namespace}/${name}` });
    recorder.event(service, 'Warning', reason, message);
  }

  /** Takes the port of a Service in the rebuilt set, and tells what is wrong with it. */
  function take(service: Service, port: number, rebuilt: PortSet, stored: PortSet): void {
    try {
      rebuilt.take(port);
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error;
      if (error.code === 'Allocated') {
        const message = `Port ${port} was assigned to multiple services; please recreate service`;
        warn(service, 'PortAlreadyAllocated', message);
      } else {
        const message = `Port ${port} is not within the port range ${portRangeText(range)}; please recreate service`;
        warn(service, 'PortOutOfRange', message);
      }
      return;
    }
    if (stored.has(port)) stored.release(port);
    else warn(service, 'PortNotAllocated', `Port ${port} is not allocated; repairing`);
  }

  function rebuild(found: PortSet | undefined): { ports: PortSet; leaks: Map<number, number> } {
    const services = options.services();
    const empty = new PortSet({ range, random });
    // without a stored set for this range nothing is missing in it
    const stored = found ?? new PortSet({ range, random, taken: services.flatMap(portNumbersOf) });
    const rebuilt = empty;
    for (const service of services) {
      for (const port of portNumbersOf(service)) take(service, port, rebuilt, stored);
    }
    const seen = new Map<number, number>();
    for (const port of stored.ports()) {
      const left = leaks.get(port) ?? looksBeforeCleanup - 1;
      if (left > 0) {
        seen.set(port, left - 1);
        rebuilt.take(port);
      } else log.warning('the node port appears to have leaked: cleaning up', { port });
    }
    return { ports: rebuilt, leaks: seen };
  }

  return {
    async run() {
      try {
        let next = leaks;
        await ports.replace((stored) => {
          const made = rebuild(stored);
          next = made.leaks;
          return made.ports;
        });
        leaks = next;
      } catch (error) {
        log.warning('cannot repair the node ports', { error: messageOf(error) });
      }
    },
  };
}

/**
 * Every node port that is written down in a Service; the same one of another protocol counts once,
 * of the same protocol again.
 */
function portNumbersOf({ spec }: Service): number[] {
  const numbers: number[] = [];
  const seen = new Map<number, Set<string>>();
  for (const { nodePort = 0, protocol = 'TCP' } of spec?.ports ?? []) {
    if (nodePort === 0) continue;
    const protocols = seen.get(nodePort);
    if (protocols === undefined || protocols.has(protocol)) numbers.push(nodePort);
    seen.set(nodePort, (protocols ?? new Set()).add(protocol));
  }
  const health = spec?.healthCheckNodePort ?? 0;
  const protocols = seen.get(health);
  if (health !== 0 && (protocols === undefined || protocols.has('TCP'))) numbers.push(health);
  return numbers;
}
