/**
 * The controllers that make the cluster become what its objects say. Each is a folder that reads
 * informers and writes through the client; none knows the API server or a node. Start reading at
 * registry.ts, then any folder's mod.ts; deployment/ is a good first one.
 */
export { startControllers } from './start-controllers.ts';
export type { StartControllersOptions } from './start-controllers.ts';
export { controllers } from './registry.ts';
export type { ControllerName } from './registry.ts';
export type { ControllerContext, ControllerOptions, StartController } from './context.ts';
