import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { createEventRecorder, createQueueMeter } from '#client/mod.ts';
import type { Client, InformerFactory } from '#client/mod.ts';
import type { ControllerOptions } from './context.ts';
import { queueNames } from './queue-names.ts';
import { controllers, eventComponents, offByDefault } from './registry.ts';
import type { ControllerName } from './registry.ts';

export interface StartControllersOptions {
  /** For everything, or by controller: each with an identity of its own, as upstream's accounts. */
  client: Client | ((controller: ControllerName) => Client);
  /** Shared by all controllers; started here. */
  informers: InformerFactory;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Ends all controllers; informers end with their own signal. */
  signal: AbortSignal;
  options: ControllerOptions;
  /** Shown by who has a page for them; of no use to anybody when absent. */
  metrics?: MetricRegistry | undefined;
  /** Controllers that are not started. */
  disabled?: readonly string[] | undefined;
  /** Controllers that are off by default and are started here. */
  enabled?: readonly string[] | undefined;
}

/** Starts every controller that is not disabled; resolves when all of them have ended. */
export async function startControllers(start: StartControllersOptions): Promise<void> {
  const { informers, clock, random, log, signal, options, disabled = [], enabled = [] } = start;
  const metrics = start.metrics ?? new MetricRegistry();
  const queueMeter = createQueueMeter({ registry: metrics, clock, names: queueNames, signal });
  const shared = { informers, clock, random, log, signal, options, metrics, queueMeter };
  const started = metrics.gauge({
    name: 'running_managed_controllers',
    help: 'Controllers that run, by the program that they belong to.',
    stability: 'BETA',
    labels: ['manager', 'name'],
  });
  const running = (Object.keys(controllers) as ControllerName[])
    .filter((name) => !disabled.includes(name))
    .filter((name) => !offByDefault.has(name) || enabled.includes(name))
    .map((name) => {
      const client = typeof start.client === 'function' ? start.client(name) : start.client;
      const component = eventComponents[name] ?? name;
      const events = createEventRecorder({ client, clock, random, log, component, signal });
      const isRunning = started.with('kube-controller-manager', name);
      isRunning.value = 1;
      return controllers[name]({ ...shared, client, events }).finally(() => {
        isRunning.value = 0;
      });
    });
  informers.start();
  await Promise.all(running);
}
