import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { PluginFactory, SchedulerConfiguration, UserPlugin } from '#scheduler/mod.ts';
import type { SchedulerArgs } from '../component-args/mod.ts';

/** What the scheduler is started with. */
export interface SchedulingSettings {
  /** Absent: upstream's defaults. */
  readonly configuration?: SchedulerConfiguration;
  readonly plugins?: Readonly<Record<string, PluginFactory>>;
  readonly maxUnschedulableMs: number;
}

/**
 * Reads the configuration file and loads the plugins of the user, each a TypeScript or JavaScript
 * file. Throws K3tsError Usage, with the file's name, for what cannot be used. The code of the
 * scheduler is loaded only if there is something to read.
 */
export async function readSchedulingSettings(
  args: SchedulerArgs,
  pluginFiles: readonly string[],
): Promise<SchedulingSettings> {
  const configFile = args.text('config');
  const maxUnschedulableMs = args.durationMs('pod-max-in-unschedulable-pods-duration');
  if (configFile === '' && pluginFiles.length === 0) return { maxUnschedulableMs };
  const { defaultConfiguration, enableUserPlugins } = await import('#scheduler/mod.ts');
  const configuration =
    configFile === '' ? defaultConfiguration : await readConfiguration(configFile);
  const plugins: UserPlugin[] = [];
  for (const file of pluginFiles) plugins.push(await loadPlugin(file));
  return {
    configuration: enableUserPlugins(configuration, plugins),
    plugins: Object.fromEntries(plugins.map(({ name, create }) => [name, create])),
    maxUnschedulableMs,
  };
}

async function readConfiguration(file: string): Promise<SchedulerConfiguration> {
  const { readSchedulerConfiguration } = await import('#scheduler/mod.ts');
  try {
    const text = await readFile(file, 'utf8');
    return readSchedulerConfiguration(text, (path) => readFileSync(path, 'utf8'));
  } catch (error) {
    const problem = `--kube-scheduler-arg config=${file}: ${messageOf(error)}`;
    throw new K3tsError('Usage', problem, { cause: error });
  }
}

async function loadPlugin(file: string): Promise<UserPlugin> {
  const { userPluginOf } = await import('#scheduler/mod.ts');
  let module: unknown;
  try {
    module = await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    throw new K3tsError('Usage', `--scheduler-plugin ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return userPluginOf(module, file);
}
