import { resources } from '#client/mod.ts';
import type { Service } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { AllocationError } from './allocation-error.ts';
import { poolOf } from './pools.ts';
import type { Pools } from './pools.ts';
import { addressesOf } from './service-addresses.ts';
import { portsOf } from './service-ports.ts';

/**
 * Keeps the pools at what stored services hold, whichever server wrote them: takes what appears,
 * gives back what the last holder let go. So a failed or a foreign write leaves nothing behind.
 */
export class StoredServices {
  readonly #pools: Pools;
  /** `address 10.43.0.1` or `port 30000` -> services that hold it. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #remove: () => void;

  constructor(options: { reader: ObjectReader; pools: Pools }) {
    this.#pools = options.pools;
    this.#remove = options.reader.onChange<Service>(resources.services, ({ next, previous }) => {
      const held = next === undefined ? [] : holdingsOf(next);
      for (const what of held) this.#hold(what, keyOf(next));
      for (const what of previous === undefined ? [] : holdingsOf(previous)) {
        if (!held.includes(what)) this.#letGo(what, keyOf(previous));
      }
    });
  }

  /** A line for everything that two services hold or that lies outside of the ranges. */
  findings(): string[] {
    const found: string[] = [];
    for (const [what, services] of this.#holders) {
      const names = [...services].sort().join(' and ');
      if (services.size > 1) found.push(`${what} is held by ${names}`);
      const why = this.#take(what);
      if (why !== undefined) found.push(`${what} of ${names}: ${why}`);
    }
    return found;
  }

  close(): void {
    this.#remove();
  }

  #hold(what: string, service: string): void {
    const services = this.#holders.get(what) ?? new Set<string>();
    this.#holders.set(what, services.add(service));
    this.#take(what);
  }

  #letGo(what: string, service: string): void {
    const services = this.#holders.get(what);
    services?.delete(service);
    if (services === undefined || services.size > 0) return;
    this.#holders.delete(what);
    const [kind, value = ''] = what.split(' ');
    if (kind === 'port') this.#pools.ports.release(Number(value));
    else poolOf(this.#pools, value)?.release(value);
  }

  /** Why it cannot be taken; being taken already is what is expected. */
  #take(what: string): string | undefined {
    const [kind, value = ''] = what.split(' ');
    try {
      if (kind === 'port') this.#pools.ports.take(Number(value));
      else poolOf(this.#pools, value)?.take(value);
      return undefined;
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error;
      return error.code === 'Allocated' ? undefined : error.message;
    }
  }
}

function holdingsOf(service: Service): string[] {
  return [
    ...addressesOf(service).map((address) => `address ${address}`),
    ...portsOf(service).map((port) => `port ${port}`),
  ];
}

function keyOf(service: Service | undefined): string {
  return `${service?.metadata.namespace ?? ''}/${service?.metadata.name ?? ''}`;
}
