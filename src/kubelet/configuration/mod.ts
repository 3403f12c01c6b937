/**
 * The kubelet's configuration as users write it: flags of `--kubelet-arg`, KubeletConfiguration files
 * and drop-ins. One table says for each field whether it acts, is ignored or refused. Nothing here
 * acts itself: settings.ts hands out what was set. To make a field act, mark it so in its table
 * (pod-fields, node-fields, server-fields, resource-fields) and give it a line in settings.ts.
 * Start reading at read-configuration.ts.
 */
export { readKubeletConfiguration } from './read-configuration.ts';
export type { KubeletConfiguration } from './read-configuration.ts';
export { kubeletApiSettings, kubeletSettings, shownConfiguration } from './settings.ts';
export type { KubeletApiSettings } from './settings.ts';
export { renderKubeletReference } from './render-reference.ts';
