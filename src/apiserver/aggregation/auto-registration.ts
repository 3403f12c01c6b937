import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { startControllerLoop } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { APIService } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import {
  always,
  apiServiceName,
  apiServices,
  automanagedLabel,
  localApiService,
  onStart,
} from './api-service.ts';
import type { LocalGroupVersion } from './api-service.ts';

export interface AutoRegistrationOptions {
  readonly client: Client;
  readonly reader: ObjectReader;
  /** What is served in this process at the moment. */
  readonly wanted: () => readonly LocalGroupVersion[];
  /** Calls back when that changes; returns the remover. */
  readonly onWantedChange: (listener: () => void) => () => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface AutoRegistration {
  /** Names that have been brought into place since the start. */
  readonly synced: ReadonlySet<string>;
  /** Whether every group version served now has its APIService. */
  isComplete(): boolean;
  readonly done: Promise<void>;
}

/**
 * Keeps an APIService for each group version that is served here, as upstream: built-in ones are
 * put right once a start and may then be changed or deleted, those of CustomResourceDefinitions are
 * kept and go with the definition. Objects without the automanaged label are left alone.
 */
export function startAutoRegistration(options: AutoRegistrationOptions): AutoRegistration {
  const { client, reader, clock, log, signal } = options;
  const synced = new Set<string>();
  const atStart = new Set(
    reader.list<APIService>(apiServices).map(({ metadata }) => metadata.name),
  );
  let wanted = new Map<string, LocalGroupVersion>();

  async function reconcile(name: string): Promise<void> {
    await put(name);
    synced.add(name);
  }

  async function put(name: string): Promise<void> {
    const entry = wanted.get(name);
    const stored = reader.get<APIService>(apiServices, '', name);
    const hasSynced = synced.has(name);
    if (stored === undefined && entry === undefined) return;
    if (entry?.management === onStart && hasSynced) return;
    if (stored === undefined) {
      if (entry !== undefined) await create(entry);
      return;
    }
    const management = stored.metadata.labels?.[automanagedLabel];
    if (management !== always && management !== onStart) return;
    if (management === onStart && (hasSynced || !atStart.has(name))) return;
    if (entry === undefined) {
      const { uid } = stored.metadata;
      await ignoring('NotFound', client.delete(apiServices, name, { preconditions: { uid } }));
      return;
    }
    const { spec } = localApiService(entry);
    if (isSameSpec(stored.spec, spec)) return;
    await client.update<APIService>(apiServices, { ...stored, spec });
  }

  async function create(entry: LocalGroupVersion): Promise<void> {
    await ignoring('AlreadyExists', client.create(apiServices, localApiService(entry)));
  }

  const { queue, done } = startControllerLoop({
    name: 'autoregister',
    clock,
    log,
    signal,
    workers: 8,
    reconcile,
  });
  const refresh = (): void => {
    const before = wanted;
    wanted = new Map(options.wanted().map((entry) => [apiServiceName(entry), entry]));
    for (const name of new Set([...before.keys(), ...wanted.keys()])) {
      const [old, now] = [before.get(name), wanted.get(name)];
      if (old === undefined || now === undefined || old.management !== now.management) {
        queue.add(name);
      }
    }
  };
  refresh();
  const removers = [
    options.onWantedChange(refresh),
    reader.onChange<APIService>(apiServices, ({ next, previous }) => {
      const name = (next ?? previous)?.metadata.name;
      if (name !== undefined) queue.add(name);
    }),
  ];
  signal.addEventListener('abort', () => removers.forEach((remove) => remove()), { once: true });
  return { synced, isComplete: () => [...wanted.keys()].every((name) => synced.has(name)), done };
}

async function ignoring(reason: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // Another server was faster with the same.
    if (!hasReason(error, reason)) throw error;
  }
}

function isSameSpec(stored: APIService['spec'], wanted: APIService['spec']): boolean {
  return (
    stored?.service === undefined &&
    (stored?.group ?? '') === (wanted?.group ?? '') &&
    stored?.version === wanted?.version &&
    stored?.groupPriorityMinimum === wanted?.groupPriorityMinimum &&
    stored?.versionPriority === wanted?.versionPriority &&
    (stored?.caBundle ?? '') === '' &&
    stored?.insecureSkipTLSVerify !== true
  );
}
