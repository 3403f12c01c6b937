import type { ListOptions } from '../handlers/list-options.ts';
import { readListOptions } from '../handlers/list-options.ts';
import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';

/** Seats that a request takes, and for how long the final ones stay taken after its answer. */
export interface WorkEstimate {
  readonly initialSeats: number;
  readonly finalSeats: number;
  readonly extraMs: number;
}

const single: WorkEstimate = { initialSeats: 1, finalSeats: 0, extraMs: 0 };

const bytesPerSeat = 100_000;
/** A list is written out while it is read: no more of it than this is in memory. */
const maxStreamedBytes = 1_000_000;
const maxListSeats = 100;
const maxMutatingSeats = 10;
const watchersPerSeat = 10;
const eventWorkMs = 5;

const mutatingVerbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

/**
 * What a request will cost, by upstream's rules: lists by the bytes that they load, watches by
 * their initial events, writes by the watchers that have to be told. Never more than `maxSeats`
 * of the level (0: no such limit).
 */
export function estimateWork(
  context: RequestContext,
  served: ServedResource | undefined,
  maxSeats: number,
): WorkEstimate {
  const { info } = context;
  if (served?.cache === undefined || info.subresource === 'token') return single;
  if (info.verb === 'list') {
    return seats(listSeats(served, info.name, limitOf(context)), maxListSeats, maxSeats);
  }
  if (info.verb === 'watch') {
    if (!wantsInitialEvents(context)) return single;
    return seats(listSeats(served, info.name, 0), maxListSeats, maxSeats);
  }
  if (mutatingVerbs.has(info.verb)) return mutatingWork(served, context, maxSeats);
  return single;
}

function seats(wanted: number, cap: number, maxSeats: number): WorkEstimate {
  const most = maxSeats > 0 ? Math.min(cap, maxSeats) : cap;
  const initialSeats = Math.min(Math.max(wanted, 1), most);
  return initialSeats === 1 ? single : { initialSeats, finalSeats: 0, extraMs: 0 };
}

function listSeats(served: ServedResource, name: string, limit: number): number {
  const { cache } = served;
  if (cache === undefined || name !== '' || cache.size === 0) return 1;
  const count = limit > 0 ? Math.min(limit, cache.size) : cache.size;
  const bytes = count * cache.averageBytes;
  return Math.ceil(Math.min(bytes, maxStreamedBytes) / bytesPerSeat);
}

function limitOf({ query }: RequestContext): number {
  const limit = query.size === 0 ? 0 : Number(query.get('limit') ?? 0);
  return Number.isFinite(limit) ? limit : 0;
}

function wantsInitialEvents({ query }: RequestContext): boolean {
  let options: ListOptions;
  try {
    options = readListOptions(query);
  } catch {
    // refused later, with the text that tells why
    return false;
  }
  const { resourceVersion } = options;
  return options.sendInitialEvents ?? (resourceVersion === '' || resourceVersion === '0');
}

function mutatingWork(
  served: ServedResource,
  { info }: RequestContext,
  maxSeats: number,
): WorkEstimate {
  const watchers = served.cache?.watchers.countFor(info.namespace, info.name) ?? 0;
  if (watchers < watchersPerSeat) return single;
  const wanted = Math.ceil(watchers / watchersPerSeat);
  const most = maxSeats > 0 ? Math.min(maxMutatingSeats, maxSeats) : maxMutatingSeats;
  const finalSeats = Math.min(wanted, most);
  return { initialSeats: 1, finalSeats, extraMs: (eventWorkMs * wanted) / finalSeats };
}
