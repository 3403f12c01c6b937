import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { ServiceCIDR } from '#schema/types.ts';

import { defaultServiceCidr } from './cluster-objects.ts';
import type { Change } from './rbac-reconcile.ts';

const intervalMs = 10_000;
const ready = 'Kubernetes default Service CIDR is ready';

/**
 * What is stored goes before the flags, but for a second family: it is added to a range of one.
 */
export function reconcileServiceCidr(
  stored: ServiceCIDR,
  wanted: ServiceCIDR,
): Change<ServiceCIDR> {
  const [before = [], after = []] = [stored.spec?.cidrs, wanted.spec?.cidrs];
  if (after.length !== 2 || before.length !== 1 || before[0] !== after[0]) {
    return { action: 'keep' };
  }
  return { action: 'update', object: { ...stored, spec: { ...stored.spec, cidrs: after } } };
}

/**
 * Brings the ServiceCIDR kubernetes back when somebody deleted it, says that it is ready when
 * nothing else said anything, and tells of flags that differ from it. Runs until the signal aborts.
 */
export async function keepDefaultServiceCidr(options: {
  client: Client;
  serviceCidrs: readonly string[];
  clock: Clock;
  log: Logger;
  recorder: EventRecorder;
  signal: AbortSignal;
}): Promise<void> {
  const { client, serviceCidrs, clock, log, recorder, signal } = options;
  const wanted = defaultServiceCidr(serviceCidrs);
  let hasToldOfDifference = false;

  async function check(): Promise<void> {
    const stored = await getOrCreate(client, wanted);
    const change = reconcileServiceCidr(stored, wanted);
    if (change.action === 'update') {
      await client.update<ServiceCIDR>(resources.serviceCidrs, change.object);
      return;
    }
    if (stored.metadata.deletionTimestamp !== undefined) return;
    const cidrs = stored.spec?.cidrs ?? [];
    if (cidrs.join() !== serviceCidrs.join()) {
      if (hasToldOfDifference) return;
      hasToldOfDifference = true;
      const message = `The default ServiceCIDR [${cidrs.join(' ')}] does not match the controller flag configurations [${serviceCidrs.join(' ')}]`;
      log.warning(message);
      recorder.event(stored, 'Warning', 'KubernetesDefaultServiceCIDRInconsistent', message);
      return;
    }
    await sayReady(stored);
  }

  async function sayReady(stored: ServiceCIDR): Promise<void> {
    const { conditions = [] } = stored.status ?? {};
    const current = conditions.find(({ type }) => type === 'Ready');
    if (current !== undefined && current.status !== 'Unknown') return;
    const condition = {
      type: 'Ready',
      status: 'True' as const,
      reason: '',
      message: ready,
      lastTransitionTime: formatTime(clock.now()),
    };
    const others = conditions.filter(({ type }) => type !== 'Ready');
    const status = { ...stored.status, conditions: [...others, condition] };
    const subresource = { subresource: 'status' };
    await client.update<ServiceCIDR>(resources.serviceCidrs, { ...stored, status }, subresource);
  }

  while (!signal.aborted) {
    try {
      await check();
    } catch (error) {
      const isRace = hasReason(error, 'Conflict') || hasReason(error, 'AlreadyExists');
      if (!isRace && !signal.aborted) {
        log.warning('cannot keep the default ServiceCIDR', { error: messageOf(error) });
      }
    }
    await clock.sleep(intervalMs, signal).catch(() => undefined);
  }
}

async function getOrCreate(client: Client, wanted: ServiceCIDR): Promise<ServiceCIDR> {
  try {
    return await client.get<ServiceCIDR>(resources.serviceCidrs, wanted.metadata.name);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    return await client.create<ServiceCIDR>(resources.serviceCidrs, wanted);
  }
}
