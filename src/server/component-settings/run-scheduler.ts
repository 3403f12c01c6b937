import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Random } from '#base/random.ts';
import { createEventRecorder, resources } from '#client/mod.ts';
import type { Client, EventRecorder, InformerFactory } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { SchedulingSettings } from './scheduling-settings.ts';

interface SchedulerParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Throws K3tsError Usage when no scheduler can be made of the settings; starts nothing. */
export async function checkScheduler(
  { configuration, plugins }: SchedulingSettings,
  parts: SchedulerParts,
): Promise<void> {
  if (configuration === undefined) return;
  const { createProfiles, noLookups } = await import('#scheduler/mod.ts');
  const eventsFor = recorders(parts);
  createProfiles(configuration, { ...parts, eventsFor, lookups: noLookups }, plugins);
}

/**
 * Starts the scheduler over the informers, which are started by who made them. Its metrics are
 * shown with those of the API server, as k3s shows all of one process.
 */
export async function runScheduler(
  settings: SchedulingSettings,
  informers: InformerFactory,
  parts: SchedulerParts,
  metrics: MetricRegistry,
): Promise<void> {
  const { createInformerLookups, createSchedulerMetrics, startScheduler } =
    await import('#scheduler/mod.ts');
  const eventsFor = recorders(parts);
  startScheduler({
    ...parts,
    ...settings,
    pods: informers.informer<Pod>(resources.pods),
    nodes: informers.informer<Node>(resources.nodes),
    lookups: createInformerLookups(informers),
    events: eventsFor('default-scheduler'),
    eventsFor,
    metrics: createSchedulerMetrics(metrics),
  });
}

/** One recorder for each scheduler name. */
function recorders(parts: SchedulerParts): (schedulerName: string) => EventRecorder {
  const made = new Map<string, EventRecorder>();
  return (component) => {
    const recorder = made.get(component) ?? createEventRecorder({ ...parts, component });
    made.set(component, recorder);
    return recorder;
  };
}
