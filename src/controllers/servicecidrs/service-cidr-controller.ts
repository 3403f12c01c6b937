import { formatTime } from '#base/clock.ts';
import { cidrContains, cidrsOverlap, tryParseIp } from '#base/cidr.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { ReconcileResult } from '#client/mod.ts';
import type { Condition, IPAddress, ServiceCIDR } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isObjectGone } from '../owner-gone.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { hasFinalizer, setFinalizer } from '../storageprotection/finalizer.ts';
import { cidrsOf, mayRemove } from './address-cover.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';
/** So long after the deletion no allocator takes an address of the range any more. */
const graceMs = 10_000;
const inUse =
  'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';

/** Keeps the finalizer and the Ready condition of ServiceCIDRs. */
export const startServiceCidrController: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const ranges = informers.informer<ServiceCIDR>(resources.serviceCidrs);
  const addresses = informers.informer<IPAddress>(resources.ipAddresses);

  const setReady = async (
    range: ServiceCIDR,
    next: Pick<Condition, 'status' | 'reason' | 'message'>,
  ): Promise<void> => {
    const { conditions = [] } = range.status ?? {};
    const old = conditions.find(({ type }) => type === 'Ready');
    const isSame =
      old?.status === next.status && old.reason === next.reason && old.message === next.message;
    if (isSame) return;
    const condition = { type: 'Ready', ...next, lastTransitionTime: formatTime(clock.now()) };
    const others = conditions.filter(({ type }) => type !== 'Ready');
    const status = { ...range.status, conditions: [...others, condition] };
    const options = { subresource: 'status' };
    await client.update<ServiceCIDR>(resources.serviceCidrs, { ...range, status }, options);
  };

  const sync = async (range: ServiceCIDR): Promise<ReconcileResult | void> => {
    const isProtected = hasFinalizer(range, finalizer);
    if (!isDeleting(range)) {
      if (!isProtected) {
        await setFinalizer(client, resources.serviceCidrs, range, finalizer, true);
        // The changed object brings the key back for its condition.
        return undefined;
      }
      const message = 'Kubernetes Service CIDR is ready';
      await setReady(range, { status: 'True', reason: '', message });
      return undefined;
    }
    if (!isProtected) return undefined;
    if (!mayRemove(range, ranges.list(), addresses.list())) {
      await setReady(range, { status: 'False', reason: 'Terminating', message: inUse });
      return undefined;
    }
    const leftMs = Date.parse(range.metadata.deletionTimestamp ?? '') + graceMs - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    await setFinalizer(client, resources.serviceCidrs, range, finalizer, false);
    return undefined;
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'service-cidr-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([ranges.synced(signal), addresses.synced(signal)]),
    async reconcile(name) {
      const range = ranges.get(name);
      if (range === undefined) return undefined;
      try {
        return await sync(range);
      } catch (error) {
        if (isObjectGone(error, range)) return undefined;
        throw error;
      }
    },
  });
  /** A range that comes or goes decides about those that share addresses with it. */
  const onRange = (range: ServiceCIDR): void => {
    loop.queue.add(range.metadata.name);
    const own = cidrsOf(range);
    for (const other of ranges.list()) {
      const isNear = cidrsOf(other).some((cidr) => own.some((one) => cidrsOverlap(cidr, one)));
      if (isDeleting(other) && isNear) loop.queue.add(other.metadata.name);
    }
  };
  ranges.addHandler({ onAdd: onRange, onUpdate: (_old, next) => onRange(next), onDelete: onRange });
  addresses.addHandler({
    onDelete({ metadata }) {
      const address = tryParseIp(metadata.name);
      if (address === undefined) return;
      for (const range of ranges.list()) {
        if (cidrsOf(range).some((cidr) => cidrContains(cidr, address))) {
          loop.queue.add(range.metadata.name);
        }
      }
    },
  });
  return loop.done;
};
