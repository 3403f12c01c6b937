/**
 * Plugins that register with the kubelet on sockets in `plugins_registry`: finds them and asks what
 * they are. What they do is up to the handlers of their types. Start reading at plugin-watcher.ts.
 */
export { watchPlugins, type PluginHandler } from './plugin-watcher.ts';
export { registrationTables, type PluginInfo } from './registration.ts';
export { createUnaryChannel, type UnaryCall, type UnaryChannel } from './unary-channel.ts';
