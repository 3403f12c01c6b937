import { createHash } from 'node:crypto';
import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

/** Counts the readings of a file that changed while the server ran. */
export type ReloadMeter = (isGood: boolean) => void;

/** Upstream's metrics of a configuration that is read again, for `part` of the API server. */
export function createReloadMeter(options: {
  registry: MetricRegistry | undefined;
  part: 'authentication' | 'authorization';
  /** Tells servers apart; shown as a hash only. */
  serverId: string;
  clock: Clock;
}): ReloadMeter {
  const { registry, part, clock } = options;
  if (registry === undefined) return () => undefined;
  const id = `sha256:${createHash('sha256').update(options.serverId).digest('hex')}`;
  const common = { stability: 'BETA', labels: ['apiserver_id_hash', 'status'] } as const;
  const total = registry.counter({
    ...common,
    name: `apiserver_${part}_config_controller_automatic_reloads_total`,
    help: `Readings of the changed ${part} configuration, by success.`,
  });
  const last = registry.gauge({
    ...common,
    name: `apiserver_${part}_config_controller_automatic_reload_last_timestamp_seconds`,
    help: `When the changed ${part} configuration was read last, by success.`,
  });
  return (isGood) => {
    const status = isGood ? 'success' : 'failure';
    total.with(id, status).value++;
    last.with(id, status).value = Math.floor(clock.now() / 1000);
  };
}
