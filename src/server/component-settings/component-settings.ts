import type { Logger } from '#base/log.ts';
import type { ServerSettings } from '../settings.ts';
import { readControllerManagerArgs, readSchedulerArgs } from '../component-args/mod.ts';
import { readControllerSettings } from './controller-settings.ts';
import type { ControllerSettings } from './controller-settings.ts';
import { readSchedulingSettings } from './scheduling-settings.ts';
import type { SchedulingSettings } from './scheduling-settings.ts';

/** What scheduler and controllers were told, with all files read. */
export interface ComponentSettings {
  readonly scheduling: SchedulingSettings;
  readonly controllers: ControllerSettings;
}

/** Reads it before anything starts; throws K3tsError Usage for what cannot be used. */
export async function readComponentSettings(
  settings: ServerSettings,
  log: Logger,
): Promise<ComponentSettings> {
  const schedulerArgs = settings.schedulerArgs ?? readSchedulerArgs();
  const managerArgs = settings.controllerManagerArgs ?? readControllerManagerArgs();
  const given = [
    ['kube-scheduler', schedulerArgs],
    ['kube-controller-manager', managerArgs],
  ] as const;
  for (const [component, { ignored }] of given) {
    if (ignored.length === 0) continue;
    log.info(`Arguments of ${component} without effect`, { names: ignored.join(', ') });
  }
  return {
    scheduling: await readSchedulingSettings(schedulerArgs, settings.schedulerPlugins ?? []),
    controllers: await readControllerSettings(managerArgs),
  };
}
