/**
 * KubeSchedulerConfiguration: read, checked, and made into profiles. The file itself is read by who
 * starts the scheduler. Start reading at read-configuration.ts, then create-profiles.ts.
 */
export { createProfiles } from './create-profiles.ts';
export type { ProfileParts } from './create-profiles.ts';
export { enableUserPlugins, userPluginOf } from './user-plugins.ts';
export type { UserPlugin } from './user-plugins.ts';
export { readSchedulerConfiguration } from './read-configuration.ts';
export { defaultConfiguration } from './scheduler-configuration.ts';
export type { ExtenderConfiguration, SchedulerConfiguration } from './scheduler-configuration.ts';
